import type { Channel, Environment } from "../environment";
import type { Timing } from "../timing";
import { Election } from "./election";
import { type LeaderMessage, parseMessage, type TabMessage } from "./messages";
import { Roster } from "./roster";

/** What a tab does in its part. */
export interface Member {
  /** Connect. */
  lead(): void;
  /** Another tab does so from now on. */
  follow(): void;
  /** The leader speaks. */
  hear(message: LeaderMessage): void;
  retry(): void;
  signOut(reason: "expired" | "revoked" | "signed-out"): void;
  /** What the leader's beat says. */
  report(): Pick<Extract<LeaderMessage, { kind: "beat" }>, "state" | "place" | "filtered">;
}

type Said<M extends TabMessage> = M extends TabMessage ? Omit<M, "from" | "term"> : never;

/** One tab among those of the same user and company: who leads, who is looked at. Without locks each leads itself. */
export class Tabs {
  readonly id: string;
  readonly #roster: Roster;
  #election: Election | undefined;
  #channel: Channel | undefined;
  #joined = false;
  #term = 0;
  #since = 0;
  #beatAt = 0;
  #leader: string | undefined;
  /** What came while this tab could not be sure that it still leads: handled if it does… */
  #pending: (() => void)[] | undefined;
  /** … and what another leader said meanwhile: heard if it does not. */
  #unheard: LeaderMessage[] = [];
  readonly #timers: Record<"tick" | "silence" | "queue", unknown> = { tick: 0, silence: 0, queue: 0 };

  constructor(
    private readonly name: string,
    private readonly environment: Environment,
    private readonly timing: Timing,
    private readonly member: Member,
  ) {
    const { random, locks } = environment;
    this.id = random().toString(36).slice(2) + random().toString(36).slice(2);
    // Two beats and a half: somebody who looks on is asked to say so at each.
    this.#roster = new Roster(timing.beat * 2.5);
    if (locks) {
      this.#election = new Election(locks, name, {
        elected: () => this.#elected(),
        deposed: () => this.#stepDown(),
        refused: () => this.#goAlone(),
      });
    }
  }

  get leads(): boolean {
    return this.#joined && (this.#election?.leads ?? true);
  }

  join(): void {
    if (this.#joined) return;
    this.#joined = true;
    this.#channel = this.environment.openChannel(this.name, (message) => this.#hear(parseMessage(message)));
    if (!this.#election || !this.#channel) return this.#goAlone();
    this.turn();
    this.#tick();
  }

  leave(): void {
    if (!this.#joined) return;
    this.say({ kind: "bye" });
    this.#joined = false;
    this.#pending = undefined;
    this.#unheard = [];
    this.#clearTimers();
    this.#election?.cancel();
    this.#election?.release();
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** It has come, or has become visible or hidden. */
  turn(): void {
    if (!this.#joined || !this.#election) return;
    this.#since = this.environment.now();
    this.#sayHere(true);
    this.#queue();
    this.#watch();
  }

  /** Passes on what comes from outside, once it is certain that this tab still leads. */
  admit(handle: () => void): void {
    if (this.#pending) {
      this.#pending.push(handle);
    } else if (this.#isCertain()) {
      this.#beatIfDue();
      handle();
    } else {
      this.#pending = [handle];
      void this.#verify();
    }
  }

  /** The tab that is to tell the person. */
  announcer(): string {
    return (this.#election && this.#roster.visible(this.environment.now())?.id) ?? this.id;
  }

  /** Says something as the leader. */
  lead(message: Said<LeaderMessage>): void {
    this.#channel?.post({ ...message, from: this.id, term: this.#term });
  }

  beat(): void {
    if (!this.leads) return;
    this.#beatAt = this.environment.now();
    this.lead({ kind: "beat", ...this.member.report() });
  }

  say(message: Said<Exclude<TabMessage, LeaderMessage>>): void {
    this.#channel?.post({ ...message, from: this.id });
  }

  #sayHere(turned: boolean): void {
    const visible = this.environment.page.isVisible();
    this.#roster.note(this.id, visible, this.#since, this.environment.now());
    this.say({ kind: "here", visible, since: this.#since, turned });
  }

  #clearTimers(): void {
    for (const timer of Object.values(this.#timers)) this.environment.clearTimer(timer);
  }

  /** Without an election each tab connects for itself. */
  #goAlone(): void {
    if (!this.#joined) return;
    this.#clearTimers();
    this.#election = undefined;
    this.member.lead();
  }

  #elected(): void {
    if (!this.#joined) return this.#election?.release();
    // A leader that was frozen is not looked at.
    if (this.#leader) this.#roster.forget(this.#leader);
    this.#term = Math.max(this.environment.now(), this.#term + 1);
    this.#pending = undefined;
    this.environment.clearTimer(this.#timers.silence);
    this.beat();
    this.member.lead();
  }

  #stepDown(): void {
    if (!this.#joined) return;
    this.#pending = undefined;
    this.member.follow();
    // First what the new leader has said: this tab may be the next one at once.
    for (const message of this.#unheard.splice(0)) this.#follow(message);
    this.#queue();
    this.#watch();
  }

  /** A leader that has been quiet for nearly as long as others wait may have been replaced. */
  #isCertain(): boolean {
    const quiet = Math.abs(this.environment.now() - this.#beatAt);
    return !this.#election || quiet < this.timing.silence * 0.75;
  }

  async #verify(): Promise<void> {
    const leads = await this.#election?.verify().catch(() => false);
    if (!this.leads) return;
    if (!leads) {
      this.#election?.release();
      return this.#stepDown();
    }
    const pending = this.#pending ?? [];
    this.#pending = undefined;
    this.#unheard = [];
    this.beat();
    for (const handle of pending) handle();
  }

  /** Takes its place among those who want to lead: visible tabs at once, hidden ones behind them. */
  #queue(): void {
    const { page, setTimer, clearTimer } = this.environment;
    clearTimer(this.#timers.queue);
    if (page.isVisible()) return this.#election?.queue();
    this.#election?.cancel();
    this.#timers.queue = setTimer(() => this.#election?.queue(), this.timing.hiddenWait);
  }

  /** A visible tab takes over when the leader has said nothing for too long. Not all at the same moment. */
  #watch(): void {
    const { page, now, random, setTimer, clearTimer } = this.environment;
    clearTimer(this.#timers.silence);
    if (this.leads || !page.isVisible()) return;
    const delay = this.timing.silence * (1 + random() * 0.15);
    const due = now() + delay;
    this.#timers.silence = setTimer(() => {
      // Woken up: what the leader said meanwhile is still to be heard.
      if (now() - due > this.timing.beat) this.#watch();
      else this.#election?.steal();
    }, delay);
  }

  #tick(): void {
    this.#timers.tick = this.environment.setTimer(() => this.#tick(), this.timing.beat);
    if (this.environment.page.isVisible()) this.#sayHere(false);
    if (this.leads) this.admit(() => this.#handOverIfDue());
  }

  #beatIfDue(): void {
    if (this.environment.now() - this.#beatAt >= this.timing.beat) this.beat();
  }

  /** A tab that is looked at leads better: its timers run. */
  #handOverIfDue(): void {
    this.beat();
    const now = this.environment.now();
    const visible = this.#roster.visible(now);
    if (this.environment.page.isVisible() || !visible || visible.id === this.id) return;
    if (now - Math.max(visible.since, this.#since) < this.timing.handOver) return;
    this.#election?.release();
    this.#stepDown();
  }

  #hear(message: TabMessage | undefined): void {
    if (!this.#joined || !message) return;
    switch (message.kind) {
      case "here":
        this.#roster.note(message.from, message.visible, message.since, this.environment.now());
        if (!message.turned) return;
        // Whoever has just come wants to know where things stand; hidden tabs let visible ones pass.
        if (this.leads) this.admit(() => this.beat());
        else if (message.visible && !this.environment.page.isVisible()) this.#queue();
        return;
      case "bye":
        return this.#roster.forget(message.from);
      case "retry":
        if (this.leads) this.member.retry();
        return;
      case "sign-out":
        return this.member.signOut(message.reason);
      default:
        return this.#follow(message);
    }
  }

  /** Another tab says that it leads. */
  #follow(message: LeaderMessage): void {
    if (!this.#election || message.term < this.#term) return;
    if (this.leads) {
      this.#unheard.push(message);
      if (this.#pending) return;
      this.#pending = [];
      return void this.#verify();
    }
    this.#leader = message.from;
    if (message.term > this.#term) {
      // The new leader knows nobody yet.
      this.#term = message.term;
      this.#sayHere(false);
    }
    this.#watch();
    this.member.hear(message);
  }
}
