import type { Environment, PageSignal } from "../environment";
import type { Wire } from "../transports";
import type { FakeClock } from "./clock";
import type { FakeGateway } from "./gateway";

interface Request {
  readonly client: FakeTab;
  readonly callback: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One browser: its locks, its channel, its store. */
export class FakeBrowser {
  readonly tabs = new Set<FakeTab>();
  readonly store = new Map<string, string>();
  /** As where cookies and all that goes with them are forbidden. */
  refusesLocks = false;
  refusesChannels = false;
  #holder: Request | undefined;
  #queue: Request[] = [];

  constructor(
    readonly clock: FakeClock,
    readonly gateway: FakeGateway,
  ) {}

  get leader(): FakeTab | undefined {
    return this.#holder?.client;
  }

  /** The browser frees what a closed or crashed tab held. */
  remove(tab: FakeTab): void {
    this.tabs.delete(tab);
    tab.end();
    this.#queue = this.#queue.filter(({ client }) => client !== tab);
    if (this.#holder?.client === tab) this.#grant();
  }

  request(request: Request, { signal, steal }: LockOptions): void {
    if (this.refusesLocks) return request.reject(new DOMException("denied", "SecurityError"));
    if (steal) {
      const robbed = this.#holder;
      this.#queue.unshift(request);
      this.#grant();
      robbed?.client.deliver(() => robbed.reject(new DOMException("", "AbortError")));
      return;
    }
    signal?.addEventListener("abort", () => {
      this.#queue = this.#queue.filter((other) => other !== request);
      request.reject(new DOMException("", "AbortError"));
    });
    this.#queue.push(request);
    if (!this.#holder) this.#grant();
  }

  #grant(): void {
    const next = this.#queue.shift();
    this.#holder = next;
    next?.client.deliver(async () => {
      const value = await next.callback();
      next.resolve(value);
      if (this.#holder === next) this.#grant();
    });
  }
}

/** One tab. Frozen, it gets everything later. */
export class FakeTab {
  visible = true;
  #gone = false;
  readonly #wires = new Set<Wire>();
  #frozen: (() => void)[] | undefined;
  #hear: ((message: unknown) => void) | undefined;
  #listener: ((signal: PageSignal) => void) | undefined;

  constructor(private readonly browser: FakeBrowser) {
    browser.tabs.add(this);
  }

  /** Its connections go with it, without a word. */
  end(): void {
    this.#gone = true;
    for (const wire of this.#wires) wire.close();
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  signal(signal: PageSignal): void {
    if (signal === "visible" || signal === "hidden") this.visible = signal === "visible";
    this.#listener?.(signal);
  }

  freeze(): void {
    this.#frozen = [];
  }

  thaw(): void {
    const waiting = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const task of waiting) task();
  }

  deliver(task: () => void): void {
    if (this.#gone) return;
    if (this.#frozen) this.#frozen.push(task);
    else task();
  }

  environment(random: () => number): Partial<Environment> {
    const { clock, gateway, store } = this.browser;
    const open = (transport: keyof typeof gateway.openers): Environment["openers"]["websocket"] => {
      return (opening) => {
        const wire = gateway.openers[transport]({
          ...opening,
          frame: (frame) => this.deliver(() => opening.frame(frame)),
          closed: (code) => this.deliver(() => opening.closed(code)),
        });
        this.#wires.add(wire);
        return wire;
      };
    };
    return {
      now: () => clock.now,
      random,
      // One that fell due while the tab was frozen can still be cleared.
      setTimer: (callback, delay) => {
        const timer = { run: callback, id: undefined as unknown };
        timer.id = clock.setTimer(() => this.deliver(() => timer.run()), delay);
        return timer;
      },
      clearTimer: (timer) => {
        if (!timer) return;
        const { id } = Object.assign(timer as { run(): void; id: unknown }, { run: () => {} });
        clock.clearTimer(id);
      },
      openers: { websocket: open("websocket"), sse: open("sse"), polling: open("polling") },
      ask: gateway.ask,
      store: {
        read: async (key) => store.get(key),
        write: async (key, cursor) => void store.set(key, cursor),
        clear: async (key) => void store.delete(key),
      },
      page: {
        isVisible: () => this.visible,
        listen: (listener) => {
          this.#listener = listener;
          return () => {};
        },
      },
      locks: this.#locks(),
      openChannel: (_, hear) => {
        if (this.browser.refusesChannels) return undefined;
        this.#hear = hear;
        return {
          post: (message) => {
            for (const tab of this.browser.tabs) if (tab !== this) tab.deliver(() => tab.#hear?.(message));
          },
          close: () => {
            this.#hear = undefined;
          },
        };
      },
    };
  }

  #locks(): NonNullable<Environment["locks"]> {
    const { browser } = this;
    const ids = (tab: FakeTab): string => [...browser.tabs].indexOf(tab).toString();
    return {
      request: ((_: string, options: LockOptions, callback: () => unknown) =>
        new Promise<unknown>((resolve, reject) => {
          browser.request({ client: this, callback, resolve, reject }, options);
        })) as LockManager["request"],
      query: async () => {
        const { leader } = browser;
        return {
          held: leader ? [{ name: "realtime.1:acme:u1", mode: "exclusive", clientId: ids(leader) }] : [],
          pending: [],
        };
      },
    };
  }
}
