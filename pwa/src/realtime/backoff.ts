import type { Timing } from "./timing";

/** The delay before an attempt, counted from 0: full jitter under a ceiling that doubles. `random` is from [0, 1). */
export function backoff(attempt: number, random: number, [base, cap]: Timing["backoff"]): number {
  return random * Math.min(cap, base * 2 ** attempt);
}

/** A value drawn from between the two. */
export function between(random: number, [low, high]: readonly [number, number]): number {
  return low + random * (high - low);
}

/** `Retry-After`, in seconds or as a date, as milliseconds from now. */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const delay = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(delay) ? Math.max(0, delay) : undefined;
}
