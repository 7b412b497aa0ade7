/** The connection in the words of the indicator. */
import type { ConnectionState, Transport } from "../realtime";

export type Shown =
  | "live"
  | "degraded"
  | "polling"
  | "reconnecting"
  | "connecting"
  | "offline"
  | "signed-out";

export function shownOf(state: ConnectionState): Shown {
  switch (state.kind) {
    case "idle":
      return "connecting";
    case "live":
      return state.transport === "polling" ? "polling" : "live";
    default:
      return state.kind;
  }
}

export function transportOf(state: ConnectionState): Transport | undefined {
  return "transport" in state ? state.transport : undefined;
}

/** Events arrive, so that what is on the screen is right. */
export function isCurrent(shown: Shown): boolean {
  return shown === "live" || shown === "polling";
}

/** Asking again at once may help. */
export function canRetry(shown: Shown): boolean {
  return shown === "reconnecting" || shown === "offline";
}

/** Whole seconds until the next attempt; 0 when it is under way. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000));
}
