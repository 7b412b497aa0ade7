/** Today's figures, from events alone: an event that comes twice changes nothing. Today is the browser's day. */
import { dayKey } from "../i18n/format";
import { type Events, isOf } from "./events";

export interface Figures {
  devisSigned: number;
  devisTotalCents: number;
  facturesPaid: number;
  facturesTotalCents: number;
  /** Started and not completed, whenever they began. */
  jobsRunning: number;
  /** Who is at work there. */
  technicians: readonly string[];
  jobsDone: number;
  /** All of them together. */
  doneMinutes: number;
  /** Received today. Nothing in the catalog says that a message was answered. */
  messages: number;
  messageClients: number;
}

export function figuresOf(events: Events, now: Date): Figures {
  const today = dayKey(now);
  const signed = new Map<string, number>();
  const paid = new Map<string, number>();
  const started = new Map<string, string>();
  const completed = new Set<string>();
  const doneToday = new Map<string, number>();
  const messages = new Map<string, string>();

  for (const event of events) {
    const isToday = dayKey(new Date(event.time)) === today;
    if (isOf(event, "intervention:started"))
      started.set(event.data.interventionId, event.data.technicianName);
    else if (isOf(event, "intervention:completed")) {
      completed.add(event.data.interventionId);
      if (isToday) doneToday.set(event.data.interventionId, event.data.durationMinutes);
    } else if (!isToday) continue;
    else if (isOf(event, "devis:signed")) signed.set(event.data.devisId, event.data.amountCents);
    // A second payment of the same invoice is a part of it: both count, the invoice once.
    else if (isOf(event, "facture:paid"))
      paid.set(event.data.factureId, (paid.get(event.data.factureId) ?? 0) + event.data.amountCents);
    else if (isOf(event, "message:received")) messages.set(event.data.messageId, event.data.clientId);
  }

  const running = [...started].filter(([id]) => !completed.has(id));
  return {
    devisSigned: signed.size,
    devisTotalCents: sum(signed.values()),
    facturesPaid: paid.size,
    facturesTotalCents: sum(paid.values()),
    jobsRunning: running.length,
    technicians: [...new Set(running.map(([, name]) => name))],
    jobsDone: doneToday.size,
    doneMinutes: sum(doneToday.values()),
    messages: messages.size,
    messageClients: new Set(messages.values()).size,
  };
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const n of numbers) total += n;
  return total;
}
