/** Three ways to the gateway with one face. None decides anything, none puts the token into an address. */
import type { Transport } from "../api";
import { openPolling } from "./polling";
import { openEventStream } from "./sse";
import type { Opener } from "./transport";
import { openWebSocket } from "./websocket";

export const OPENERS: Readonly<Record<Transport, Opener>> = {
  websocket: openWebSocket,
  sse: openEventStream,
  polling: openPolling,
};

export { ask } from "./polling";
export type { Opener, Opening, Wire } from "./transport";
