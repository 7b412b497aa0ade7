import type { Transport } from "./api";
import { browserStore, type CursorStore } from "./cursor-store";
import { BROWSER_TIMERS } from "./patience";
import type { Timing } from "./timing";
import { ask, OPENERS, type Opener } from "./transports";

/** What the page tells its client. */
export type PageSignal = "visible" | "hidden" | "online" | "offline" | "suspend" | "restore" | "wake";

export interface Page {
  isVisible(): boolean;
  /** Gives the way to stop listening. */
  listen(listener: (signal: PageSignal) => void): () => void;
}

/** The way to the other tabs. */
export interface Channel {
  post(message: unknown): void;
  close(): void;
}

/** What the client takes from the world around it; everything has a default, tests bring their own. */
export interface Environment {
  /** Overrides of {@link TIMING}. */
  readonly timing: Partial<Timing>;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** From [0, 1). */
  readonly random: () => number;
  readonly setTimer: (callback: () => void, delay: number) => unknown;
  readonly clearTimer: (timer: unknown) => void;
  readonly openers: Readonly<Record<Transport, Opener>>;
  readonly ask: typeof ask;
  readonly store: CursorStore;
  readonly page: Page;
  /** Without either of the two, or where one is refused, each tab connects alone. */
  readonly locks: Pick<LockManager, "request" | "query"> | undefined;
  readonly openChannel: (name: string, hear: (message: unknown) => void) => Channel | undefined;
}

export function browserEnvironment(): Environment {
  return {
    timing: {},
    now: Date.now,
    random: Math.random,
    ...BROWSER_TIMERS,
    openers: OPENERS,
    ask,
    store: browserStore(),
    page: browserPage,
    locks: navigator.locks,
    openChannel,
  };
}

/** `undefined` where there is no such thing, or where the page may not use it. */
function openChannel(name: string, hear: (message: unknown) => void): Channel | undefined {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => hear(data);
    return { post: (message) => channel.postMessage(message), close: () => channel.close() };
  } catch {
    return undefined;
  }
}

const browserPage: Page = {
  isVisible: () => document.visibilityState === "visible",
  listen(listener) {
    const abort = new AbortController();
    const on = (target: EventTarget, name: string, signal: () => PageSignal): void =>
      target.addEventListener(name, () => listener(signal()), { signal: abort.signal });
    on(document, "visibilitychange", () => (document.visibilityState === "visible" ? "visible" : "hidden"));
    on(document, "resume", () => "wake");
    on(window, "online", () => "online");
    on(window, "offline", () => "offline");
    // The back/forward cache takes no page with an open socket, or cuts it: close on the way in, open on the way out.
    on(window, "pagehide", () => "suspend");
    on(window, "pageshow", () => "restore");
    return () => abort.abort();
  },
};
