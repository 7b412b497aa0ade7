/** What the detail panel is about, its history and its state: pure functions of the events. */
import type { EventType, RealtimeEvent } from "../realtime";
import { type ByNoun, byNoun, type Events, isOf, NOUNS, type Noun, nounOf } from "./events";

export interface Subject {
  readonly noun: Noun;
  readonly id: string;
}

export type Status = "pending" | "signed" | "rejected" | "due" | "paid" | "running" | "done";

export function subjectOf(event: RealtimeEvent): Subject {
  return { noun: nounOf(event.type), id: byNoun(OWN_ID, event) };
}

const OWN_ID: ByNoun = {
  devis: (d) => d.devisId,
  facture: (d) => d.factureId,
  intervention: (d) => d.interventionId,
  client: (d) => d.clientId,
  message: (d) => d.messageId,
};

/** Everything that concerns the subject, the oldest first: a quote's invoices and their payment as well. */
export function historyOf(events: Events, subject: Subject): Events {
  if (subject.noun === "client") return events.filter((event) => event.data.clientId === subject.id);
  if (subject.noun === "message") {
    const message = events.find((event) => is(event, subject));
    return events.filter(
      (event) => nounOf(event.type) === "message" && event.data.clientId === message?.data.clientId,
    );
  }
  if (subject.noun !== "devis" && subject.noun !== "facture") return ownEvents(events, subject);

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

/** What came last decides, of what says anything about it. */
export function statusOf(own: Events): Status | undefined {
  const newest = own.findLast((event) => STATUS[event.type]);
  return newest && STATUS[newest.type];
}

function is(event: RealtimeEvent, subject: Subject): boolean {
  return nounOf(event.type) === subject.noun && byNoun(OWN_ID, event) === subject.id;
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
