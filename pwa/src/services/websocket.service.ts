/**
 * The application's one realtime service: it owns the client of whoever is signed in. Handlers that are registered here
 * stay when one client makes way for the next.
 */
import {
  type ConnectionState,
  createRealtimeClient,
  type Delivery,
  type Environment,
  type EventType,
  type RealtimeClient,
  type RealtimeEvent,
  type RealtimeOptions,
  type Refetch,
  type Timing,
} from "../realtime";
import { isOfCatalog } from "../realtime/catalog";
import { add, each } from "../realtime/listeners";

declare global {
  interface Window {
    /** Set by end-to-end tests before the application starts. */
    __realtimeTiming?: Partial<Timing>;
  }
}

type AnyHandler = (event: RealtimeEvent, delivery: Delivery) => void;

const IDLE: ConnectionState = { kind: "idle" };

export class RealtimeService {
  #client: RealtimeClient | undefined;
  #detach: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #handlers = new Map<EventType | "*", Set<AnyHandler>>();
  readonly #refetchers = new Set<(reason: Refetch) => void>();

  constructor(private readonly create = createRealtimeClient) {}

  /** Connects for this user; whoever was connected before is closed. */
  open(options: RealtimeOptions & Partial<Environment>): void {
    this.close();
    const timing = typeof window === "undefined" ? undefined : window.__realtimeTiming;
    const client = this.create({ ...options, ...(timing ? { timing } : {}) });
    this.#client = client;
    this.#detach = [
      client.subscribe(() => this.#changed()),
      client.onRefetch((reason) => each(this.#refetchers, (refetch) => refetch(reason))),
      client.on("*", (event, delivery) => {
        if (!isOfCatalog(event)) return;
        for (const type of [event.type, "*"] as const) {
          each(this.#handlers.get(type) ?? [], (handler) => handler(event, delivery));
        }
      }),
    ];
    client.start();
    this.#changed();
  }

  /** Closes this tab's client; the cursor stays. */
  close(): void {
    const client = this.#client;
    if (!client) return;
    this.#client = undefined;
    for (const detach of this.#detach) detach();
    client.stop();
    this.#changed();
  }

  /** Signs every tab out and forgets the cursor. The state stays `signed-out` until the next `open`. */
  async signOut(): Promise<void> {
    await this.#client?.signOut();
  }

  retry(): void {
    this.#client?.retry();
  }

  readonly getState = (): ConnectionState => this.#client?.getState() ?? IDLE;

  readonly subscribe = (listener: () => void): (() => void) => add(this.#listeners, listener);

  on<T extends EventType>(
    type: T | "*",
    handler: (event: RealtimeEvent<T>, delivery: Delivery) => void,
  ): () => void {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers);
    // The client hands an event only to handlers of its own type.
    return add(handlers, handler as AnyHandler);
  }

  onRefetch(handler: (reason: Refetch) => void): () => void {
    return add(this.#refetchers, handler);
  }

  #changed(): void {
    each(this.#listeners, (listener) => listener());
  }
}

export const realtime = new RealtimeService();
