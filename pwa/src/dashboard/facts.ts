/** What the detail panel says about its subject, as pairs of label and value. */
import { t } from "../i18n";
import { type Events, has, isOf } from "./events";
import type { Subject } from "./subject";

export type Fact = readonly [label: string, value: string];

/** Told by the members of the data, whatever the type. Later events overrule earlier ones; what is not known is left out. */
export function factsOf(own: Events, history: Events, subject: Subject): Fact[] {
  const labels = t.detail.labels;
  const facts = new Map<string, string>();
  const add = (label: string, value: string | null | undefined) => value && facts.set(label, value);

  for (const event of own) {
    if (subject.noun !== "client") add(labels.client, event.data.clientName);
    if (has(event, "title")) add(labels.subject, event.data.title);
    if (has(event, "amountCents")) add(labels.amount, t.euros(event.data.amountCents));
    if (subject.noun !== "client" && has(event, "createdBy")) add(labels.createdBy, event.data.createdBy);
    if (has(event, "signedBy")) add(labels.signedBy, event.data.signedBy);
    if (isOf(event, "devis:rejected")) add(labels.reason, event.data.reason);
    if (has(event, "dueOn")) add(labels.due, t.day(new Date(`${event.data.dueOn}T12:00`)));
    if (has(event, "method")) add(labels.method, t.methods[event.data.method]);
    if (has(event, "address")) add(labels.address, event.data.address);
    if (has(event, "technicianName")) add(labels.technician, event.data.technicianName);
    if (has(event, "durationMinutes")) add(labels.duration, t.duration(event.data.durationMinutes));
    if (has(event, "city")) add(labels.city, event.data.city);
    if (has(event, "phone")) add(labels.phone, event.data.phone);
    if (has(event, "channel")) add(labels.channel, t.channels[event.data.channel]);
    if (has(event, "preview")) add(labels.message, event.data.preview);
  }
  if (subject.noun === "client") {
    const total = (type: "devis:signed" | "facture:paid") =>
      history.reduce((cents, event) => cents + (isOf(event, type) ? event.data.amountCents : 0), 0);
    add(labels.signedTotal, total("devis:signed") ? t.euros(total("devis:signed")) : undefined);
    add(labels.paidTotal, total("facture:paid") ? t.euros(total("facture:paid")) : undefined);
  }
  return [...facts];
}
