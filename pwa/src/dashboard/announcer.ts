/** Which events become toasts: in one tab only, and what was missed in bulk, or while nobody looked, as one. */
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
  /** The first of what was missed, and how many there are. */
  #missed: RealtimeEvent[] = [];
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #looked = (): void => {
    if (this.#count > 0) this.#soon();
  };

  constructor(private readonly toasts: Toasts) {
    document.addEventListener("visibilitychange", this.#looked);
  }

  hear(event: RealtimeEvent, { announce, recovered }: Delivery): void {
    if (!announce) return;
    if (!recovered && !isHidden()) {
      this.toasts.one(event);
      return;
    }
    this.#count += 1;
    if (this.#missed.length < FEW) this.#missed.push(event);
    this.#soon();
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.#looked);
    this.#take();
  }

  /** Nobody reads what a hidden page shows, and it would stay there until somebody does. */
  #soon(): void {
    clearTimeout(this.#timer);
    if (!isHidden()) this.#timer = setTimeout(() => this.#flush(), TOGETHER_MS);
  }

  #flush(): void {
    const { events, count } = this.#take();
    if (count > FEW) this.toasts.many(count);
    else for (const event of events) this.toasts.one(event);
  }

  #take(): { readonly events: RealtimeEvent[]; readonly count: number } {
    clearTimeout(this.#timer);
    const taken = { events: this.#missed, count: this.#count };
    this.#missed = [];
    this.#count = 0;
    return taken;
  }
}

const isHidden = (): boolean => document.visibilityState === "hidden";
