/**
 * What the rest of the application knows of the realtime client. Framework-free.
 *
 * A client has one connection state and hands on events, each once and in order. When it cannot vouch for that any
 * more it says {@link Refetch}: whoever shows data fetches it anew.
 */
import type { EventDataByType } from "./events.generated";

/** The types of the catalog: `devis:signed`, `facture:paid`, … */
export type EventType = keyof EventDataByType;

/** One event of a type that is known; `data` has its shape. */
export type RealtimeEvent<T extends EventType = EventType> = {
  [K in T]: {
    readonly id: string;
    readonly type: K;
    readonly companyId: string;
    /** RFC 3339, UTC. */
    readonly time: string;
    readonly data: EventDataByType[K];
  };
}[T];

/** How an event came to this tab. */
export interface Delivery {
  /** This tab, and no other, is to tell the person about it (a toast). */
  readonly announce: boolean;
  /** It was missed and has been caught up with, not heard as it happened. */
  readonly recovered: boolean;
}

/** Why everything on the screen is to be fetched anew. */
export type Refetch = "fresh" | "lost" | "resync" | "hole";

export type Transport = "websocket" | "sse" | "polling";

/** The connection as one value. Times are unix milliseconds. */
export type ConnectionState =
  /** Not started, or stopped. */
  | { readonly kind: "idle" }
  /** The first attempt is under way. */
  | { readonly kind: "connecting" }
  /** Events arrive as they happen. */
  | { readonly kind: "live"; readonly transport: Transport }
  /** Connected, but the gateway says that events come late. */
  | { readonly kind: "degraded"; readonly transport: Transport }
  /** No connection; the next attempt is at `at`, or under way when `at` has passed. */
  | { readonly kind: "reconnecting"; readonly at: number; readonly attempt: number }
  /** The device says that it has no network. */
  | { readonly kind: "offline" }
  /** The gateway or the token source refused; only signing in again helps. */
  | { readonly kind: "signed-out"; readonly reason: "expired" | "revoked" | "signed-out" };

export interface RealtimeClient {
  /** Connects, or follows the tab that does. Idempotent. */
  start(): void;
  /** Closes; the cursor stays for next time. Idempotent. */
  stop(): void;
  /** Closes for good on every tab, and forgets the cursor. */
  signOut(): Promise<void>;
  /** Connect now instead of waiting for the backoff. */
  retry(): void;
  /** The present state; the same object until it changes. */
  getState(): ConnectionState;
  /** Calls back after every change of state. Returns the way to stop that. */
  subscribe(listener: () => void): () => void;
  /** Events of one type, or with `*` of every known type, once each and in order. */
  on<T extends EventType>(
    type: T | "*",
    handler: (event: RealtimeEvent<T>, delivery: Delivery) => void,
  ): () => void;
  /** Something may be missing: fetch everything anew. */
  onRefetch(handler: (reason: Refetch) => void): () => void;
}

/** What a client needs; everything else has a default. */
export interface RealtimeOptions {
  /** Where the gateway is. Default: the page's own origin. */
  readonly url?: string;
  /** Whose cursor it is. */
  readonly userId: string;
  readonly companyId: string;
  /** A token that is valid now, or `null` when the person has to sign in again. Rejects when it cannot be told now. */
  getToken(): Promise<string | null>;
}
