/**
 * Publishes an event over HTTP, and once: `TOKEN=… node examples/publish.ts acme devis:signed '{"devisId":"d-41", …}'`
 *
 * Runs as it is on Node 22.18 or later, without packages. The event id is made before the first attempt, so that trying
 * again can never double the event.
 */
import { randomUUID } from "node:crypto";

interface Event {
  companyId: string;
  type: string;
  data: unknown;
  eventId?: string;
}

interface Published {
  /** Its place in the company's log. */
  id: string;
  /** It had been stored before, under this event id. */
  duplicate: boolean;
}

const GATEWAY = process.env.GATEWAY_URL ?? "http://127.0.0.1:8080";
/** Statuses that pass: too many requests, and whatever a gateway or a proxy says while something restarts. */
const PASSING = [429, 502, 503, 504];
const ATTEMPTS = 8;

/** Stores the event, or rejects: with what the gateway has against it, or after the last attempt. */
export async function publish(event: Event, token: string): Promise<Published> {
  const body = JSON.stringify({ ...event, eventId: event.eventId ?? randomUUID() });
  for (let attempt = 1; ; attempt++) {
    const answer = await post(body, token);
    if (answer?.ok) {
      const { results } = (await answer.json()) as { results: [Published] };
      return results[0];
    }
    if (answer && !PASSING.includes(answer.status)) throw new Error(`${answer.status}: ${await answer.text()}`);
    if (attempt === ATTEMPTS) throw new Error(`not published: ${answer?.status ?? "no answer"}`);
    // What the gateway asks for, and some chance, so that not everybody comes back at once.
    const asked = Number(answer?.headers.get("retry-after") ?? 0) * 1000;
    const jitter = Math.random() * Math.min(10_000, 200 * 2 ** attempt);
    await new Promise((resolve) => setTimeout(resolve, asked + jitter));
  }
}

/** One attempt; `undefined` when nobody answered: perhaps it was stored, perhaps not. */
async function post(body: string, token: string): Promise<Response | undefined> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const options = { method: "POST", headers, body, signal: AbortSignal.timeout(10_000) };
  return fetch(`${GATEWAY}/v1/events`, options).catch(() => undefined);
}

const [companyId, type, data] = process.argv.slice(2);
if (!process.env.TOKEN || !companyId || !type || !data) {
  console.error("usage: TOKEN=<with scope publish> node publish.ts <company> <type> <data as JSON>");
  process.exit(2);
}
console.log(JSON.stringify(await publish({ companyId, type, data: JSON.parse(data) }, process.env.TOKEN)));
