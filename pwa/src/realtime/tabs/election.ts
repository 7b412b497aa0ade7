import type { Environment } from "../environment";

type Locks = NonNullable<Environment["locks"]>;

/** What becomes of a tab that wants to lead. */
interface Candidate {
  elected(): void;
  deposed(): void;
  /** The browser lets this page have no locks. */
  refused(): void;
}

/** Who leads, by a Web Lock: the browser frees it when a tab closes or crashes, and lets it be stolen from a frozen one. */
export class Election {
  /** Set while this tab holds the lock. */
  #release: (() => void) | undefined;
  #clientId: Promise<string | undefined> | undefined;
  #queued: AbortController | undefined;

  constructor(
    private readonly locks: Locks,
    private readonly name: string,
    private readonly candidate: Candidate,
  ) {}

  get leads(): boolean {
    return this.#release !== undefined;
  }

  /** Waits for the lock, behind those who do already. */
  queue(): void {
    if (this.#queued || this.leads) return;
    const abort = new AbortController();
    this.#queued = abort;
    this.#request({ signal: abort.signal }, () => this.#queued === abort);
  }

  /** Waits no more. */
  cancel(): void {
    const abort = this.#queued;
    this.#queued = undefined;
    abort?.abort();
  }

  /** Takes the lock from a leader that does not answer. */
  steal(): void {
    if (this.leads) return;
    this.cancel();
    this.#request({ steal: true }, () => !this.leads);
  }

  /** Lets the next one lead. */
  release(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }

  /** Whether this tab leads still; one that was frozen cannot know before it has asked. */
  async verify(): Promise<boolean> {
    const mine = await this.#clientId;
    const holder = await this.#holder();
    return this.leads && mine !== undefined && holder === mine;
  }

  #request(options: LockOptions, isWanted: () => boolean): void {
    let release: (() => void) | undefined;
    this.locks
      .request(this.name, options, () => {
        if (!isWanted()) return;
        this.#queued = undefined;
        this.#clientId = this.#holder();
        return new Promise<void>((resolve) => {
          this.#release = release = resolve;
          this.candidate.elected();
        });
      })
      .catch((error: unknown) => {
        // No longer waited for, or stolen.
        if (!(error instanceof Error && error.name === "AbortError")) return this.candidate.refused();
        if (release === undefined || this.#release !== release) return;
        this.#release = undefined;
        this.candidate.deposed();
      });
  }

  async #holder(): Promise<string | undefined> {
    const { held = [] } = await this.locks.query();
    return held.find(({ name }) => name === this.name)?.clientId;
  }
}
