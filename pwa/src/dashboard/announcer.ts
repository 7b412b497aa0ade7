/** Which events become toasts: in one tab only, and what was missed in bulk as one. */
import type { Delivery, RealtimeEvent } from "../realtime";

/** Missed events that come within this of each other belong together. */
export const TOGETHER_MS = 400;
/** More of them than this are one toast. */
export const FEW = 3;

export interface Toasts {
  one(event: RealtimeEvent): void;
  many(count: number): void;
}

export class Announcer {
  #missed: RealtimeEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly toasts: Toasts) {}

  hear(event: RealtimeEvent, { announce, recovered }: Delivery): void {
    if (!announce) return;
    if (!recovered) {
      this.toasts.one(event);
      return;
    }
    this.#missed.push(event);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), TOGETHER_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#missed = [];
  }

  #flush(): void {
    const missed = this.#missed;
    this.#missed = [];
    if (missed.length > FEW) this.toasts.many(missed.length);
    else for (const event of missed) this.toasts.one(event);
  }
}
