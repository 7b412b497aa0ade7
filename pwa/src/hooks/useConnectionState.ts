import { useSyncExternalStore } from "react";
import type { ConnectionState } from "../realtime";
import { realtime } from "../services/websocket.service";

/** The connection as it is now; renders again when it changes. */
export function useConnectionState(): ConnectionState {
  return useSyncExternalStore(realtime.subscribe, realtime.getState, realtime.getState);
}
