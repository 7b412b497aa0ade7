import type { Environment } from "./environment";

type Timers = Pick<Environment, "setTimer" | "clearTimer">;

/** The promise, or a rejection when it takes longer: what a browser or a host owes may never come. */
export function within<T>(promise: Promise<T>, span: number, { setTimer, clearTimer }: Timers): Promise<T> {
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = setTimer(() => reject(new Error("too late")), span);
  });
  return Promise.race([promise, late]).finally(() => clearTimer(timer));
}

export const BROWSER_TIMERS: Timers = {
  setTimer: (callback, delay) => setTimeout(callback, delay),
  clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** Longer than this no page waits for its storage. */
const STORAGE = 1_000;

/** What storage gives, or `undefined`: it may be forbidden (private windows), full, not there at all, or stuck (Safari). */
export async function attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await within(call(), STORAGE, BROWSER_TIMERS);
  } catch {
    return undefined;
  }
}
