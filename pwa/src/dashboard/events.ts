/** Words of the dashboard: nouns, lists of events, and their order. */
import type { EventType, RealtimeEvent } from "../realtime";
import { type Cursor, compareCursors, parseCursor } from "../realtime/cursor";

export const NOUNS = ["devis", "facture", "intervention", "client", "message"] as const;

/** What an event is about: the part of its type before the colon. */
export type Noun = (typeof NOUNS)[number];

/** The newest last. */
export type Events = readonly RealtimeEvent[];

export function nounOf(type: EventType): Noun {
  // Every type of the catalog begins with one of the nouns; the test of this file says so.
  return type.slice(0, type.indexOf(":")) as Noun;
}

export function isOf<T extends EventType>(
  event: RealtimeEvent,
  ...types: T[]
): event is Extract<RealtimeEvent, { type: T }> {
  return (types as EventType[]).includes(event.type);
}

const cursors = new WeakMap<RealtimeEvent, Cursor>();
const NOWHERE: Cursor = { epoch: "0", seq: "0" };

function cursorOf(event: RealtimeEvent): Cursor {
  const known = cursors.get(event) ?? parseCursor(event.id) ?? NOWHERE;
  cursors.set(event, known);
  return known;
}

function inOrder(a: RealtimeEvent, b: RealtimeEvent): number {
  return compareCursors(cursorOf(a), cursorOf(b));
}

/** All lists as one, in the log's order, each event once. The first list itself when the others add nothing. */
export function mergeEvents(first: Events, ...others: Events[]): Events {
  const [only, more] = others.flat();
  const newest = first.at(-1);
  // What has just happened follows all the rest.
  if (only && !more && newest && inOrder(newest, only) < 0) return [...first, only];
  const known = new Set(first.map((event) => event.id));
  const added: RealtimeEvent[] = [];
  for (const event of others.flat()) {
    if (known.has(event.id)) continue;
    known.add(event.id);
    added.push(event);
  }
  return added.length === 0 ? first : [...first, ...added].sort(inOrder);
}
