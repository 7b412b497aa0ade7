/** An event in words. */
import { t } from "../i18n";
import type { EventType, RealtimeEvent } from "../realtime";
import { byNoun, has } from "./events";
import type { Subject } from "./subject";

/** The texts' functions take the data of their own type, which a union of types cannot say. */
type Say = (data: RealtimeEvent["data"]) => string;
const say = (table: Record<EventType, unknown>, event: RealtimeEvent) =>
  (table[event.type] as Say)(event.data);

/** `Devis D-2026-041 signé par Mme Lefèvre` */
export const headline = (event: RealtimeEvent): string => say(t.event.headline, event);

/** What else is worth a line; may be empty. */
export const detail = (event: RealtimeEvent): string => say(t.event.detail, event);

/** In euro cents, of what has an amount. */
export function amountOf(event: RealtimeEvent): number | undefined {
  return has(event, "amountCents") ? event.data.amountCents : undefined;
}

/** `Devis D-2026-041 signé par Mme Lefèvre, 4 820 €` */
export function sentence(event: RealtimeEvent): string {
  const amount = amountOf(event);
  return amount === undefined ? headline(event) : `${headline(event)}, ${t.euros(amount)}`;
}

/** What the panel about the subject is headed by: `Devis D-2026-041`. */
export function titleOf(newest: RealtimeEvent, { noun }: Subject): string {
  return noun === "client" ? newest.data.clientName : byNoun(t.detail.titles, newest);
}
