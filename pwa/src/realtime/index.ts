/**
 * The realtime client: one connection per browser, events each once and in order, and the truth about the connection.
 *
 * `api.ts` is what the application sees. An event's way: a transport -> `protocol` (parsed at the door) -> `connection`
 * (the state machine) -> `stream` (the cursor gate) -> the other tabs -> handlers. Knows nothing of React.
 */
import type { RealtimeClient, RealtimeOptions } from "./api";
import { Client } from "./client";
import { browserEnvironment, type Environment } from "./environment";

export type * from "./api";
export type { Environment } from "./environment";
export type * from "./events.generated";
export { EVENT_TYPES } from "./events.generated";
export { TIMING, type Timing } from "./timing";

/** A client for one user of one company. Nothing happens before `start()`. */
export function createRealtimeClient(options: RealtimeOptions & Partial<Environment>): RealtimeClient {
  return new Client(options, { ...browserEnvironment(), ...options });
}
