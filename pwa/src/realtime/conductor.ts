import type { ConnectionState } from "./api";
import {
  ABNORMAL,
  type Effect,
  type Input,
  NO_TOKEN,
  newMachine,
  nextDeadline,
  step,
  view,
} from "./connection";
import type { Environment } from "./environment";
import type { ServerFrame } from "./protocol";
import type { Timing } from "./timing";
import type { Tokens } from "./tokens";
import type { Opening, Wire } from "./transports";

/** The longest delay that a timer takes. */
const LONGEST = 2 ** 31 - 1;

/** Who gets what the connection brings. */
export interface Audience {
  /** Where to go on from. */
  cursor(): string | undefined;
  /** A frame that moves the sequence on. */
  apply(frame: ServerFrame, recovered: boolean): void;
  /** Something has come from outside: handles it now, later, or not at all. */
  admit(handle: () => void): void;
  changed(state: ConnectionState): void;
}

/** Carries out what the machine decides: opens and closes wires, asks for tokens, keeps the one timer. */
export class Conductor {
  #machine = newMachine();
  readonly #wires = new Map<number, Wire>();
  #timer: unknown;
  #stepping = false;
  readonly #waiting: Input[] = [];

  constructor(
    private readonly url: string,
    private readonly environment: Environment,
    private readonly timing: Timing,
    private readonly tokens: Tokens,
    private readonly audience: Audience,
  ) {}

  get state(): ConnectionState {
    return view(this.#machine);
  }

  /** One after the other, also when an effect leads straight to the next input. */
  input(input: Input): void {
    this.#waiting.push(input);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#step(next);
    } finally {
      this.#stepping = false;
    }
    this.#arm();
    this.audience.changed(this.state);
  }

  #step(input: Input): void {
    const { now, random } = this.environment;
    const { machine, effects } = step(this.#machine, input, { now: now(), random, timing: this.timing });
    this.#machine = machine;
    for (const effect of effects) this.#carryOut(effect);
  }

  #arm(): void {
    const { now, setTimer, clearTimer } = this.environment;
    clearTimer(this.#timer);
    const delay = Math.max(0, nextDeadline(this.#machine, this.timing) - now());
    if (!Number.isFinite(delay)) return;
    const tick = () => this.audience.admit(() => this.input({ kind: "tick" }));
    this.#timer = setTimer(tick, Math.min(delay, LONGEST));
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "open":
        return void this.#open(effect.link, effect.transport);
      case "close":
        this.#wires.get(effect.link)?.close();
        this.#wires.delete(effect.link);
        return;
      case "ping":
        return this.#wires.get(effect.link)?.send('{"frame":"ping"}');
      case "auth":
        return this.#wires
          .get(effect.link)
          ?.send(JSON.stringify({ frame: "auth", token: this.tokens.current }));
      case "ask":
        return void this.#ask();
      case "renew":
        return void this.#renew();
      case "forget-token":
        return this.tokens.forget();
      case "apply":
        return this.audience.apply(effect.frame, effect.recovered);
    }
  }

  async #open(link: number, transport: keyof Environment["openers"]): Promise<void> {
    // Stands for the link until it has its wire: whoever closes it meanwhile takes it away.
    const reserved: Wire = { send() {}, close() {} };
    this.#wires.set(link, reserved);
    const token = await this.#token();
    if (this.#wires.get(link) !== reserved) return;
    if (token === undefined) return this.input({ kind: "closed", link, code: NO_TOKEN });
    const opening: Opening = {
      url: this.url,
      token,
      getToken: () => this.tokens.get(),
      cursor: this.audience.cursor(),
      poll: this.timing.poll,
      frame: (frame) => {
        this.audience.admit(() => {
          if (this.#wires.has(link)) this.input({ kind: "frame", link, frame });
        });
      },
      closed: (code, retryAfter) => {
        this.audience.admit(() => {
          if (this.#wires.delete(link)) this.input({ kind: "closed", link, code, retryAfter });
        });
      },
    };
    try {
      this.#wires.set(link, this.environment.openers[transport](opening));
    } catch {
      // An address or a token that cannot be written.
      opening.closed(ABNORMAL);
    }
  }

  /** `undefined` when there is none now. When there is to be none any more the machine is told. */
  async #token(asked = this.tokens.get()): Promise<string | undefined> {
    const token = await asked.catch(() => undefined);
    if (token === null) this.input({ kind: "refused", reason: "expired" });
    return token ?? undefined;
  }

  async #ask(): Promise<void> {
    const token = await this.#token();
    const answer = token ? await this.environment.ask(this.url, token, this.timing.welcome) : { status: 0 };
    this.input({ kind: "asked", ...answer });
  }

  async #renew(): Promise<void> {
    const token = await this.#token(this.tokens.renew());
    const { expiresAt } = this.tokens.claims;
    this.input(token ? { kind: "renewed", expiresAt } : { kind: "renew-failed" });
  }
}
