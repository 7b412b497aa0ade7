import { parseRetryAfter } from "../backoff";
import type { ServerFrame } from "../protocol";

/** What a transport needs to open a connection. */
export interface Opening {
  /** The gateway, without a path. */
  readonly url: string;
  readonly token: string;
  /** A token that is valid now, for transports that ask again; `null` when there is none. */
  getToken(): Promise<string | null>;
  /** Where to go on from. */
  readonly cursor: string | undefined;
  /** How long a poll may be held, in milliseconds. */
  readonly poll: number;
  frame(frame: ServerFrame): void;
  /** Called at most once; the code is that of a WebSocket, whichever the transport. */
  closed(code: number, retryAfter?: number): void;
}

/** An open connection. Neither call throws, and after `close` nothing is called back. */
export interface Wire {
  send(text: string): void;
  close(): void;
}

/** Opens a connection. It decides nothing: what comes is handed on. */
export type Opener = (opening: Opening) => Wire;

/** The address of an endpoint. The token is never part of it. */
export function address(url: string, path: string, query: Record<string, string | undefined>): URL {
  const target = new URL(path, url);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) target.searchParams.set(name, value);
  }
  return target;
}

/** A plain request to the gateway, never cached. */
export function request(url: URL, token: string, signal: AbortSignal): Promise<Response> {
  return fetch(url, {
    headers: { Authorization: `Bearer ${token}` },
    cache: "no-store",
    credentials: "omit",
    signal,
  });
}

const CODES: Record<number, number> = { 401: 4401, 403: 4403, 429: 4429, 503: 1013 };

/** The status, or 0 when it is not the gateway that says so: a hotel's network has a page for everything. */
export function statusOf({ status, headers }: Response): number {
  const type = headers.get("Content-Type") ?? "";
  const isOurs = type.includes(status < 400 ? "json" : "problem+json");
  // For a while is for a while, whoever says it.
  return isOurs || status === 429 || status >= 500 ? status : 0;
}

/** How a connection ended, and how long the gateway asks to wait. */
export type Ending = readonly [code: number, retryAfter?: number | undefined];

/** A connection by `fetch`: `run` lasts as long as it does, and says how it ended. */
export function byFetch(run: (opening: Opening, signal: AbortSignal) => Promise<Ending>): Opener {
  return (opening) => {
    const abort = new AbortController();
    run(opening, abort.signal)
      .catch((): Ending => [1006])
      .then((ending) => {
        if (!abort.signal.aborted) opening.closed(...ending);
      });
    return { send() {}, close: () => abort.abort() };
  };
}

/** What a refusal would be called on a WebSocket. */
export function refusal(response: Response): Ending {
  return [
    CODES[statusOf(response)] ?? 1006,
    parseRetryAfter(response.headers.get("Retry-After"), Date.now()),
  ];
}
