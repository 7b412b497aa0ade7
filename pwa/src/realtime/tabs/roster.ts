/** Which tabs are there, as far as one has heard. */
export class Roster {
  readonly #tabs = new Map<string, { readonly since: number; readonly heardAt: number }>();

  /** `stale`: after how long without a word a tab counts as gone. */
  constructor(private readonly stale: number) {}

  /** A tab says whether it is visible, and since when. */
  note(id: string, visible: boolean, since: number, now: number): void {
    if (visible) this.#tabs.set(id, { since, heardAt: now });
    else this.#tabs.delete(id);
  }

  forget(id: string): void {
    this.#tabs.delete(id);
  }

  /** The tab that the person looks at: of the visible ones, the last to become so. */
  visible(now: number): { readonly id: string; readonly since: number } | undefined {
    let found: { id: string; since: number } | undefined;
    for (const [id, { since, heardAt }] of this.#tabs) {
      // Also when the clock was set back.
      if (Math.abs(now - heardAt) > this.stale) this.#tabs.delete(id);
      else if (!found || since > found.since || (since === found.since && id > found.id))
        found = { id, since };
    }
    return found;
  }
}
