/** A clock that tests move. Timers run in order; between them everything that was promised comes true. */
export class FakeClock {
  now = 1_700_000_000_000;
  #next = 1;
  readonly #timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  readonly setTimer = (callback: () => void, delay: number): unknown => {
    const id = this.#next++;
    this.#timers.set(id, { at: this.now + delay, callback });
    return id;
  };

  /** Somebody corrects the device's clock; timers run on as they were. */
  setBack(span: number): void {
    this.now -= span;
    for (const [id, timer] of this.#timers) this.#timers.set(id, { ...timer, at: timer.at - span });
  }

  readonly clearTimer = (timer: unknown): void => {
    this.#timers.delete(timer as number);
  };

  async advance(span: number): Promise<void> {
    const end = this.now + span;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [id, { at, callback }] = due;
      this.#timers.delete(id);
      this.now = Math.max(this.now, at);
      callback();
      await settle();
    }
    this.now = end;
  }
}

/** Lets promises come true. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 30; round += 1) await Promise.resolve();
}
