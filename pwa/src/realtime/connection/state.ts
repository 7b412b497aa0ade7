import type { ConnectionState, Transport } from "../api";
import type { ServerFrame } from "../protocol";

/** Best first; each further one gets through worse networks. */
export const LADDER = ["websocket", "sse", "polling"] as const satisfies readonly Transport[];

/** One connection, from the attempt on. */
export interface Link {
  readonly id: number;
  readonly transport: Transport;
  readonly openedAt: number;
  /** Nothing else was connected when it was opened, so that what it begins with was missed. */
  readonly resumes: boolean;
  /** Unset until its `welcome`. */
  welcomedAt?: number;
  heartbeatMs: number;
  heardAt: number;
  /** A ping has been unanswered since. */
  pingedAt?: number | undefined;
  /** A ping was answered, or something came after the welcome where there are no pings. */
  answered: boolean;
  degraded: boolean;
  /** It is doubted; if its replacement fails as well, it is given up. */
  suspect: boolean;
}

/** All that is known of the connection. Names of moments end in `At`: unix milliseconds; unset ones will not come. */
export interface Machine {
  phase: "stopped" | "running" | "suspended" | "signed-out";
  reason: "expired" | "revoked" | "signed-out";
  links: number;
  /** When the last step was. */
  steppedAt: number;
  /** The connection, or the attempt at one. */
  main?: Link | undefined;
  /** What is to take its place: asked to move, or a better transport on trial. */
  spare?: (Link & { readonly role: "move" | "probe" }) | undefined;
  /** Why an attempt failed is being found out. */
  asking: boolean;
  /** Failed attempts since a connection lived. */
  attempt: number;
  retryAt?: number | undefined;
  /** When the present attempt, or the finding out, began. */
  triedAt: number;
  moveAt?: number | undefined;
  probeAt?: number | undefined;
  renewAt?: number | undefined;
  /** Place on the ladder. */
  level: number;
  /** What the next probe tries, and how many failed. */
  probeLevel: number;
  probes: number;
  /** Welcomes in a row that did not come, though the gateway can be reached. */
  misses: number;
  /** Connections in a row that died young. */
  deaths: number;
  /** Refused tokens in a row. */
  refusals: number;
  offline: boolean;
}

/** What happens to the machine. */
export type Input =
  | { readonly kind: "start" | "stop" | "suspend" | "wake" | "online" | "offline" | "retry" | "tick" }
  | { readonly kind: "frame"; readonly link: number; readonly frame: ServerFrame }
  | {
      readonly kind: "closed";
      readonly link: number;
      readonly code: number;
      readonly retryAfter?: number | undefined;
    }
  /** Why an attempt failed: an HTTP status, 0 when nothing answered. */
  | { readonly kind: "asked"; readonly status: number; readonly retryAfter?: number | undefined }
  | { readonly kind: "renewed"; readonly expiresAt: number | undefined }
  | { readonly kind: "renew-failed" }
  | { readonly kind: "refused"; readonly reason: Machine["reason"] };

/** What the machine wants done. */
export type Effect =
  | { readonly kind: "open"; readonly link: number; readonly transport: Transport }
  | { readonly kind: "ping" | "auth" | "close"; readonly link: number }
  | { readonly kind: "ask" | "renew" | "forget-token" }
  | { readonly kind: "apply"; readonly frame: ServerFrame; readonly recovered: boolean };

/** No token could be had; it says nothing about the gateway. */
export const NO_TOKEN = 0;
/** A link ended without a word. */
export const ABNORMAL = 1006;

export function newMachine(): Machine {
  return {
    phase: "stopped",
    reason: "signed-out",
    links: 0,
    steppedAt: 0,
    asking: false,
    attempt: 0,
    triedAt: 0,
    level: 0,
    probeLevel: 0,
    probes: 0,
    misses: 0,
    deaths: 0,
    refusals: 0,
    offline: false,
  };
}

/** A copy with every moment so much earlier. */
export function earlier<T extends Machine | Link>(of: T, span: number): T {
  const entries = Object.entries(of).map(([name, value]) => [
    name,
    name.endsWith("At") && value !== undefined ? value - span : value,
  ]);
  return Object.fromEntries(entries) as T;
}

/** The machine's state as the application sees it. */
export function view({ phase, reason, main, offline, attempt, retryAt, triedAt }: Machine): ConnectionState {
  if (phase === "signed-out") return { kind: "signed-out", reason };
  if (phase !== "running") return { kind: "idle" };
  if (main?.welcomedAt !== undefined) {
    return { kind: main.degraded ? "degraded" : "live", transport: main.transport };
  }
  if (offline) return { kind: "offline" };
  if (attempt === 0 && retryAt === undefined) return { kind: "connecting" };
  return { kind: "reconnecting", at: retryAt ?? triedAt, attempt };
}
