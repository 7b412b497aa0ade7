/** A connection machine with a clock of its own, for the tests. */
import type { Resume, ServerFrame } from "../protocol";
import { TIMING } from "../timing";
import { type Effect, type Input, newMachine, nextDeadline, step, view } from ".";

/** How long a token counts. */
export const EXPIRES = 3_600_000;

/** A machine with a clock of its own. */
export class World {
  machine = newMachine();
  now = 1_000;
  effects: Effect[] = [];
  random = 0.5;

  input(input: Input): Effect[] {
    const taken = step(this.machine, input, { now: this.now, random: () => this.random, timing: TIMING });
    this.machine = taken.machine;
    this.effects.push(...taken.effects);
    return [...taken.effects];
  }

  /** Lets time pass, with a tick at every deadline. */
  pass(span: number): void {
    const end = this.now + span;
    for (let at = nextDeadline(this.machine, TIMING); at <= end; at = nextDeadline(this.machine, TIMING)) {
      this.now = Math.max(at, this.now);
      this.input({ kind: "tick" });
    }
    this.now = end;
  }

  /** Lets time pass while the page is frozen: one tick at the end. */
  sleep(span: number): Effect[] {
    this.now += span;
    return this.input({ kind: "tick" });
  }

  /** The link that was opened last. */
  get last(): number {
    return this.machine.links;
  }

  frame(frame: ServerFrame, link = this.last): Effect[] {
    return this.input({ kind: "frame", link, frame });
  }

  welcome(link = this.last, resume: Resume = "recovered"): Effect[] {
    const frame: ServerFrame = {
      frame: "welcome",
      resume,
      lastEventId: "1-0",
      heartbeatMs: 25_000,
      tokenExpiresAt: new Date(this.now + EXPIRES).toISOString(),
    };
    return this.frame(frame, link);
  }

  live(): this {
    this.input({ kind: "start" });
    return this.answer();
  }

  /** The last link is welcomed and answers the ping. */
  answer(): this {
    this.welcome();
    this.frame({ frame: "pong" });
    return this;
  }

  /** Lets time pass until something is opened. */
  untilOpened(): void {
    for (const last = this.last; this.last === last; ) {
      this.now = Math.max(this.now, nextDeadline(this.machine, TIMING));
      this.input({ kind: "tick" });
    }
  }

  /** Lets time pass, with heartbeats, until a probe is under way; gives its link. */
  untilProbe(): number {
    while (!this.machine.spare) this.liveFor(Math.min(5_000, (this.machine.probeAt ?? 0) - this.now));
    return this.machine.spare.id;
  }

  /** Heartbeats for as long as that. */
  liveFor(span: number): void {
    for (const end = this.now + span; this.now < end; ) {
      this.pass(Math.min(5_000, end - this.now));
      this.frame({ frame: "heartbeat" }, this.machine.main?.id);
      if (this.machine.main?.pingedAt) this.frame({ frame: "pong" }, this.machine.main.id);
    }
  }

  closed(code: number, retryAfter?: number, link = this.machine.main?.id ?? 0): Effect[] {
    return this.input({ kind: "closed", link, code, retryAfter });
  }

  get view() {
    return view(this.machine);
  }
}

export const kinds = (effects: readonly Effect[]): string[] => effects.map(({ kind }) => kind);
