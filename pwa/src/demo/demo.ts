/** The demo server's handles; in production there is none, and no panel. */
import * as v from "valibot";

const upOrDown = v.picklist(["up", "down"]);
const stateSchema = v.object({ network: upOrDown, gateway: upOrDown });

export type DemoState = v.InferOutput<typeof stateSchema>;

/** `undefined` when this is no demo, or its server does not answer. */
export async function fetchDemoState(): Promise<DemoState | undefined> {
  try {
    const response = await fetch("/demo/state", {
      headers: { accept: "application/json" },
      cache: "no-store",
    });
    if (!response.ok) return undefined;
    const parsed = v.safeParse(stateSchema, await response.json());
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

export async function isDemo(): Promise<boolean> {
  return (await fetchDemoState()) !== undefined;
}

export const cutNetwork = () => post("/demo/network", { up: false });
export const restoreNetwork = () => post("/demo/network", { up: true });
export const restartGateway = () => post("/demo/gateway", { restart: true });

async function post(path: string, body: object): Promise<boolean> {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return response.ok;
  } catch {
    return false;
  }
}
