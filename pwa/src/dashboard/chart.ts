/** The day's events by the hour. */
import { dayKey } from "../i18n/format";
import type { Events } from "./events";

export interface Hour {
  readonly hour: number;
  readonly count: number;
}

export interface DayOfHours {
  /** From six or earlier to eight in the evening or later: the hours that are worth showing. */
  readonly hours: readonly Hour[];
  readonly total: number;
  /** The hour with the most events, the first of several. */
  readonly busiest: number | undefined;
}

const FIRST_HOUR = 6;
const LAST_HOUR = 20;

export function hoursOf(events: Events, now: Date): DayOfHours {
  const today = dayKey(now);
  const counts = new Array<number>(24).fill(0);
  for (const event of events) {
    const at = new Date(event.time);
    if (dayKey(at) === today) counts[at.getHours()] = (counts[at.getHours()] ?? 0) + 1;
  }
  const all = counts.map((count, hour) => ({ hour, count }));
  const used = all.filter(({ hour, count }) => count > 0 || hour === now.getHours()).map(({ hour }) => hour);
  const from = Math.min(FIRST_HOUR, ...used);
  const to = Math.max(LAST_HOUR, ...used);
  const most = Math.max(...counts);
  return {
    hours: all.slice(from, to + 1),
    total: counts.reduce((a, b) => a + b, 0),
    busiest: most > 0 ? counts.indexOf(most) : undefined,
  };
}
