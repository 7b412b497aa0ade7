/** What the detail panel is about, its history and its state: pure functions of the events. */
import type { EventType, RealtimeEvent } from "../realtime";
import { type Events, isOf, NOUNS, type Noun, nounOf } from "./events";

export interface Subject {
  readonly noun: Noun;
  readonly id: string;
}

export type Status = "pending" | "signed" | "rejected" | "due" | "paid" | "running" | "done";

export function subjectOf(event: RealtimeEvent): Subject {
  return { noun: nounOf(event.type), id: ownId(event) };
}

function ownId(event: RealtimeEvent): string {
  if (isOf(event, "devis:created", "devis:signed", "devis:rejected")) return event.data.devisId;
  if (isOf(event, "facture:created", "facture:paid")) return event.data.factureId;
  if (isOf(event, "intervention:started", "intervention:completed")) return event.data.interventionId;
  if (isOf(event, "message:received")) return event.data.messageId;
  return event.data.clientId;
}

/** Everything that concerns the subject, the oldest first: a quote's invoices and their payment as well. */
export function historyOf(events: Events, subject: Subject): Events {
  if (subject.noun === "client") return events.filter((event) => event.data.clientId === subject.id);
  if (subject.noun === "message") {
    const message = events.find((event) => is(event, subject));
    return events.filter(
      (event) => isOf(event, "message:received") && event.data.clientId === message?.data.clientId,
    );
  }
  if (subject.noun === "intervention") return events.filter((event) => is(event, subject));

  const bills = events.filter((event) => isOf(event, "facture:created"));
  const devisId =
    subject.noun === "devis"
      ? subject.id
      : (bills.find((event) => event.data.factureId === subject.id)?.data.devisId ?? undefined);
  const factureIds = new Set(
    subject.noun === "facture"
      ? [subject.id]
      : bills.filter((event) => event.data.devisId === devisId).map((event) => event.data.factureId),
  );
  return events.filter((event) => {
    const { noun, id } = subjectOf(event);
    return noun === "devis" ? id === devisId : noun === "facture" && factureIds.has(id);
  });
}

/** What the subject's own events say, the newest last. */
export function ownEvents(events: Events, subject: Subject): Events {
  return events.filter((event) => is(event, subject));
}

const STATUS: { readonly [T in EventType]?: Status } = {
  "devis:created": "pending",
  "devis:signed": "signed",
  "devis:rejected": "rejected",
  "facture:created": "due",
  "facture:paid": "paid",
  "intervention:started": "running",
  "intervention:completed": "done",
};

/** What came last decides. */
export function statusOf(own: Events): Status | undefined {
  const newest = own.at(-1);
  return newest && STATUS[newest.type];
}

function is(event: RealtimeEvent, subject: Subject): boolean {
  return nounOf(event.type) === subject.noun && ownId(event) === subject.id;
}

/** A subject as the address shows it, `#devis/d-41`, and back. */
export function toHash({ noun, id }: Subject): string {
  return `#${noun}/${encodeURIComponent(id)}`;
}

export function fromHash(hash: string): Subject | undefined {
  const [noun, id] = hash.replace(/^#/, "").split("/");
  const known = NOUNS.find((name) => name === noun);
  if (!known || !id) return undefined;
  try {
    return { noun: known, id: decodeURIComponent(id) };
  } catch {
    return undefined;
  }
}
