import type { Transport } from "../api";
import { between } from "../backoff";
import type { Timing } from "../timing";
import { type Effect, earlier, LADDER, type Link, type Machine } from "./state";
import type { Circumstances } from "./step";

/** A copy of the machine that one step works on, and what it wants done. */
export class Draft {
  readonly machine: Machine;
  readonly effects: Effect[] = [];
  readonly now: number;
  readonly random: () => number;
  readonly timing: Timing;

  constructor(machine: Machine, { now, random, timing }: Circumstances) {
    // The wall clock counts sleep, but somebody may set it back: what was planned moves with it, and is
    // waited for once more at worst.
    const span = Math.max(0, machine.steppedAt - now);
    this.machine = {
      ...earlier(machine, span),
      steppedAt: now,
      main: machine.main && earlier(machine.main, span),
      spare: machine.spare && earlier(machine.spare, span),
    };
    this.now = now;
    this.random = random;
    this.timing = timing;
  }

  links(): Link[] {
    return [this.machine.main, this.machine.spare].filter((link) => link !== undefined);
  }

  open(transport: Transport, resumes: boolean): Link {
    const id = ++this.machine.links;
    this.effects.push({ kind: "open", link: id, transport });
    return {
      id,
      transport,
      openedAt: this.now,
      resumes,
      heartbeatMs: 0,
      heardAt: this.now,
      answered: false,
      degraded: false,
      suspect: false,
    };
  }

  /** Asks for a sign of life; the answer has a deadline. */
  ping(link: Link): void {
    if (link.pingedAt !== undefined) return;
    link.pingedAt = this.now;
    this.effects.push({ kind: "ping", link: link.id });
  }

  close(link: Link): void {
    this.effects.push({ kind: "close", link: link.id });
  }

  /** Ends every connection and every plan. */
  halt(phase: Machine["phase"]): void {
    for (const link of this.links()) this.close(link);
    const { machine } = this;
    machine.phase = phase;
    machine.main = machine.spare = undefined;
    machine.asking = false;
    machine.retryAt = machine.moveAt = machine.probeAt = machine.renewAt = undefined;
  }

  /** Plans the token's renewal. A clock that is wrong by more than a token's life leaves it to 4401. */
  renewBy(expiresAt: number | undefined): void {
    const life = (expiresAt ?? Number.NaN) - this.now;
    this.machine.renewAt =
      life > 0 ? this.now + Math.max(1_000, life * between(this.random(), this.timing.renew)) : undefined;
  }
}

export function connect(draft: Draft): void {
  const { machine } = draft;
  machine.retryAt = undefined;
  machine.triedAt = draft.now;
  machine.main = draft.open(LADDER[machine.level] ?? "polling", true);
}

export function scheduleRetry(draft: Draft, delay: number): void {
  draft.machine.retryAt = Math.round(draft.now + delay);
}

export function signOut(draft: Draft, reason: Machine["reason"]): void {
  draft.halt("signed-out");
  draft.machine.reason = reason;
}

export function dropSpare(draft: Draft): void {
  const { spare } = draft.machine;
  if (spare) draft.close(spare);
  draft.machine.spare = undefined;
}

/** Plans the next try at a better transport, if there is a better one. */
export function scheduleProbe(draft: Draft): void {
  const { machine, timing } = draft;
  const [low, high, cap] = timing.probe;
  const delay = between(draft.random(), [low, high]) * 2 ** machine.probes;
  machine.probeLevel = 0;
  machine.probeAt = machine.level > 0 ? draft.now + Math.min(cap, delay) : undefined;
}

/** Finds out whether the connection still lives. A stream or a poll cannot be asked: a new one takes its place. */
export function verify(draft: Draft): void {
  const { main, spare } = draft.machine;
  if (main?.welcomedAt === undefined) return;
  if (main.transport === "websocket") return draft.ping(main);
  if (draft.now - main.heardAt < draft.timing.ping) return;
  main.suspect = true;
  if (spare?.role !== "move") draft.machine.moveAt = draft.now;
}

/** Failures before a connection that lived count no more. Says whether it did. */
export function credit({ machine, now, timing }: Draft, { welcomedAt = now }: Link): boolean {
  const lived = now - welcomedAt >= timing.lived;
  if (lived) machine.attempt = machine.deaths = machine.refusals = 0;
  return lived;
}

/** The spare takes the place of the main one, which is closed only now. */
export function promote(draft: Draft): void {
  const { machine } = draft;
  const { main, spare } = machine;
  if (!spare) return;
  if (main) {
    credit(draft, main);
    draft.close(main);
  }
  const { role, ...link } = spare;
  machine.main = link;
  machine.spare = machine.moveAt = undefined;
  if (role === "probe") {
    machine.level = LADDER.indexOf(link.transport);
    machine.probes = machine.misses = machine.deaths = 0;
  }
  scheduleProbe(draft);
}
