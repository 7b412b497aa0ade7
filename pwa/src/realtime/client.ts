import type {
  ConnectionState,
  Delivery,
  EventType,
  RealtimeClient,
  RealtimeEvent,
  RealtimeOptions,
  Refetch,
} from "./api";
import { Conductor } from "./conductor";
import { CursorWriter } from "./cursor-store";
import type { Environment, PageSignal } from "./environment";
import { EVENT_TYPES } from "./events.generated";
import { add, each } from "./listeners";
import { within } from "./patience";
import type { EventFrame, ServerFrame } from "./protocol";
import { type Outcome, Stream } from "./stream";
import { channelName, type LeaderMessage, Tabs } from "./tabs";
import { TIMING } from "./timing";
import { Tokens } from "./tokens";

type Handler = (event: RealtimeEvent, delivery: Delivery) => void;
type SignedOut = Extract<ConnectionState, { kind: "signed-out" }>["reason"];

/** One tab's client: the connection where this tab leads, what the leader says where it does not; one gate for both. */
export class Client implements RealtimeClient {
  #state: ConnectionState = { kind: "idle" };
  #started = false;
  #unlisten: (() => void) | undefined;
  readonly #key: string;
  readonly #stream = new Stream();
  readonly #tokens: Tokens;
  readonly #writer: CursorWriter;
  readonly #conductor: Conductor;
  readonly #tabs: Tabs;
  readonly #listeners = new Set<() => void>();
  readonly #handlers = new Map<string, Set<Handler>>();
  readonly #refetchers = new Set<(reason: Refetch) => void>();

  constructor(
    options: RealtimeOptions,
    private readonly environment: Environment,
  ) {
    const timing = { ...TIMING, ...environment.timing };
    this.#key = channelName(options.userId, options.companyId);
    const getToken = () => within(options.getToken(), timing.token, environment);
    this.#tokens = new Tokens(getToken, environment.now);
    this.#writer = new CursorWriter(environment.store, this.#key);
    this.#conductor = new Conductor(options.url ?? location.origin, environment, timing, this.#tokens, {
      cursor: () => this.#stream.place,
      apply: (frame, recovered) => this.#apply(frame, recovered),
      admit: (handle) => this.#tabs.admit(handle),
      changed: (state) => this.#connectionChanged(state),
    });
    this.#tabs = new Tabs(this.#key, environment, timing, {
      lead: () => void this.#lead(),
      follow: () => this.#conductor.input({ kind: "suspend" }),
      hear: (message) => this.#hear(message),
      retry: () => this.#conductor.input({ kind: "retry" }),
      signOut: (reason) => void this.#end(reason),
      report: () => ({
        state: this.#conductor.state,
        place: this.#stream.place,
        filtered: this.#stream.filtered,
      }),
    });
  }

  start(): void {
    if (this.#started || this.#state.kind === "signed-out") return;
    this.#started = true;
    this.#unlisten = this.environment.page.listen((signal) => this.#turn(signal));
    this.#setState({ kind: "connecting" });
    this.#tabs.join();
  }

  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    this.#unlisten?.();
    this.#tabs.leave();
    this.#conductor.input({ kind: "stop" });
    this.#setState({ kind: "idle" });
  }

  async signOut(): Promise<void> {
    this.#tabs.say({ kind: "sign-out", reason: "signed-out" });
    await this.#end("signed-out");
  }

  retry(): void {
    if (this.#tabs.leads) this.#conductor.input({ kind: "retry" });
    else this.#tabs.say({ kind: "retry" });
  }

  getState(): ConnectionState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    return add(this.#listeners, listener);
  }

  on<T extends EventType>(
    type: T | "*",
    handler: (event: RealtimeEvent<T>, delivery: Delivery) => void,
  ): () => void {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers);
    // Events reach the handlers of their own type only.
    return add(handlers, handler as Handler);
  }

  onRefetch(handler: (reason: Refetch) => void): () => void {
    return add(this.#refetchers, handler);
  }

  async #lead(): Promise<void> {
    if (this.#stream.place === undefined) {
      const kept = await this.environment.store.read(this.#key);
      if (!this.#tabs.leads) return;
      this.#stream.place ??= kept;
    }
    this.#conductor.input({ kind: "start" });
  }

  /** The gateway's frames, where this tab leads. */
  #apply(frame: ServerFrame, recovered: boolean): void {
    this.#stream.filtered = this.#tokens.claims.filtered;
    for (const outcome of this.#stream.take(frame, recovered)) {
      if (outcome.kind === "event") {
        const announcer = this.#tabs.announcer();
        // The others first: should this tab crash in between, nobody is told twice.
        this.#tabs.lead({ ...outcome, announcer });
        this.#perform(outcome, announcer);
      } else {
        const { place, reason } = outcome;
        // A hole before an event the others find themselves.
        if (place !== undefined) this.#tabs.lead({ kind: "refetch", reason, place });
        this.#perform(outcome);
      }
    }
    if (this.#stream.place !== undefined) this.#writer.write(this.#stream.place);
  }

  /** The leader's words, where this tab follows. */
  #hear(message: LeaderMessage): void {
    const stream = this.#stream;
    const perform = (outcomes: Outcome[], announcer?: string): void => {
      for (const outcome of outcomes) this.#perform(outcome, announcer);
    };
    switch (message.kind) {
      case "event":
        return perform(stream.event(message.event, message.recovered), message.announcer);
      case "refetch": {
        const isJump = message.reason === "lost" || message.reason === "resync";
        return perform(stream[isJump ? "jump" : "stand"](message.place, message.reason));
      }
      case "beat":
        stream.filtered = message.filtered;
        if (message.place !== undefined) perform(stream.stand(message.place, "hole"));
        this.#setState(message.state.kind === "idle" ? { kind: "connecting" } : message.state);
    }
  }

  #perform(outcome: Outcome, announcer?: string): void {
    if (outcome.kind === "refetch") return each(this.#refetchers, (refetch) => refetch(outcome.reason));
    const { event, recovered } = outcome;
    if (!isKnown(event)) return;
    const delivery = { announce: announcer === this.#tabs.id, recovered };
    for (const type of [event.type, "*"]) {
      each(this.#handlers.get(type) ?? [], (handler) => handler(event, delivery));
    }
  }

  #connectionChanged(state: ConnectionState): void {
    if (!this.#started || !this.#tabs.leads) return;
    if (state.kind === "signed-out") {
      this.#tabs.say({ kind: "sign-out", reason: state.reason });
      void this.#end(state.reason);
    } else if (this.#setState(state.kind === "idle" ? { kind: "connecting" } : state)) {
      this.#tabs.beat();
    }
  }

  async #end(reason: SignedOut): Promise<void> {
    this.#unlisten?.();
    this.#started = false;
    this.#tabs.leave();
    this.#conductor.input({ kind: "refused", reason: "signed-out" });
    this.#stream.place = undefined;
    this.#setState({ kind: "signed-out", reason });
    // Whoever signs in again after a token has expired goes on where they were.
    if (reason !== "expired") await this.#writer.clear();
  }

  #turn(signal: PageSignal): void {
    switch (signal) {
      case "suspend":
        this.#tabs.leave();
        return this.#conductor.input({ kind: "suspend" });
      case "restore":
        this.#tabs.join();
        break;
      case "visible":
      case "hidden":
        this.#tabs.turn();
    }
    if (!this.#tabs.leads || signal === "hidden") return;
    const kind = signal === "online" || signal === "offline" ? signal : "wake";
    this.#tabs.admit(() => this.#conductor.input({ kind }));
  }

  /** Whether that is news. */
  #setState(state: ConnectionState): boolean {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return false;
    this.#state = state;
    each(this.#listeners, (listener) => listener());
    return true;
  }
}

function isKnown(event: EventFrame): event is EventFrame & RealtimeEvent {
  const isObject = typeof event.data === "object" && event.data !== null;
  return isObject && (EVENT_TYPES as readonly string[]).includes(event.type);
}
