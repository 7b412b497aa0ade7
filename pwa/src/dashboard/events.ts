/** Words of the dashboard: nouns, lists of events, and their order. */
import type { EventType, RealtimeEvent } from "../realtime";
import { type Cursor, compareCursors, parseCursor } from "../realtime/cursor";
import { EVENT_MEMBERS, type EventDataByType } from "../realtime/events.generated";

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

type With<M extends string> = {
  [T in EventType]: M extends keyof EventDataByType[T] ? RealtimeEvent<T> : never;
}[EventType];

/** Whether its type has this member, by the catalog: nobody has checked what else was published with it. */
export function has<M extends string>(event: RealtimeEvent, member: M): event is With<M> {
  return Object.hasOwn(EVENT_MEMBERS[event.type], member);
}

/** A text for each noun. It does not compile when a type of that noun lacks what the text is made of. */
export type ByNoun = {
  readonly [N in Noun]: (data: Extract<RealtimeEvent, { type: `${N}:${string}` }>["data"]) => string;
};

export function byNoun(table: ByNoun, event: RealtimeEvent): string {
  return (table[nounOf(event.type)] as (data: RealtimeEvent["data"]) => string)(event.data);
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
