/** What the detail panel says about its subject, as pairs of label and value. */
import { t } from "../i18n";
import { type Events, isOf } from "./events";
import type { Subject } from "./subject";

export type Fact = readonly [label: string, value: string];

/** Later events overrule earlier ones; what is not known is left out. */
export function factsOf(own: Events, history: Events, subject: Subject): Fact[] {
  const labels = t.detail.labels;
  const facts = new Map<string, string>();
  const add = (label: string, value: string | null | undefined) => value && facts.set(label, value);

  for (const event of own) {
    if (subject.noun !== "client") add(labels.client, event.data.clientName);
    if (isOf(event, "devis:created", "intervention:started", "intervention:completed"))
      add(labels.subject, event.data.title);
    if (isOf(event, "devis:created", "devis:signed", "devis:rejected", "facture:created", "facture:paid"))
      add(labels.amount, t.euros(event.data.amountCents));
    if (isOf(event, "devis:created", "facture:created")) add(labels.createdBy, event.data.createdBy);
    if (isOf(event, "devis:signed")) add(labels.signedBy, event.data.signedBy);
    if (isOf(event, "devis:rejected")) add(labels.reason, event.data.reason);
    if (isOf(event, "facture:created")) add(labels.due, t.day(new Date(`${event.data.dueOn}T12:00`)));
    if (isOf(event, "facture:paid")) add(labels.method, t.methods[event.data.method]);
    if (isOf(event, "intervention:started")) add(labels.address, event.data.address);
    if (isOf(event, "intervention:started", "intervention:completed"))
      add(labels.technician, event.data.technicianName);
    if (isOf(event, "intervention:completed")) add(labels.duration, t.duration(event.data.durationMinutes));
    if (isOf(event, "client:created")) {
      add(labels.city, event.data.city);
      add(labels.phone, event.data.phone);
    }
    if (isOf(event, "message:received")) {
      add(labels.channel, t.channels[event.data.channel]);
      add(labels.message, event.data.preview);
    }
  }
  if (subject.noun === "client") {
    const total = (type: "devis:signed" | "facture:paid") =>
      history.reduce((cents, event) => cents + (isOf(event, type) ? event.data.amountCents : 0), 0);
    add(labels.signedTotal, total("devis:signed") ? t.euros(total("devis:signed")) : undefined);
    add(labels.paidTotal, total("facture:paid") ? t.euros(total("facture:paid")) : undefined);
  }
  return [...facts];
}
