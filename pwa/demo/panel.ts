/** What the demo's panel can do: cut the network, restart the gateway. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Gateway } from "../stand/gateway";
import type { Passage } from "../stand/passage";

/** How long the gateway is away when it is restarted: long enough to see the page say so. */
const AWAY = 3_000;
const LONGEST_BODY = 1_000;

export class Panel {
  #gatewayUp = true;

  constructor(
    private readonly gateway: Gateway,
    private readonly proxy: () => Passage,
  ) {}

  /** Whether the gateway is away because somebody wished so. */
  get restarting(): boolean {
    return !this.#gatewayUp;
  }

  /** `/demo/*`. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { method, url } = request;
    if (!url?.startsWith("/demo/")) return false;
    response.setHeader("Cache-Control", "no-store");
    if (method === "GET" && url === "/demo/state") this.#state(response);
    else if (method === "POST" && isOurs(request)) void this.#act(request, response);
    else response.writeHead(method === "POST" ? 403 : 404).end();
    return true;
  };

  #state(response: ServerResponse): void {
    const network = this.proxy().network === "up" ? "up" : "down";
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ network, gateway: this.#gatewayUp ? "up" : "down" }));
  }

  async #act(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (request.url === "/demo/network" && typeof body?.up === "boolean") {
      this.proxy().network = body.up ? "up" : "down";
    } else if (request.url === "/demo/gateway" && body?.restart === true) {
      void this.#restart();
    } else return void response.writeHead(400).end();
    this.#state(response);
  }

  async #restart(): Promise<void> {
    if (!this.#gatewayUp) return;
    this.#gatewayUp = false;
    await this.gateway.kill();
    await new Promise((resolve) => setTimeout(resolve, AWAY));
    await this.gateway.startAgain();
    this.#gatewayUp = true;
  }
}

/** Other web pages may not press our buttons. */
function isOurs({ headers }: IncomingMessage): boolean {
  return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  let text = "";
  try {
    for await (const piece of request) {
      text += piece;
      if (text.length > LONGEST_BODY) return undefined;
    }
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
