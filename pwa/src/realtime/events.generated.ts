/* Written by scripts/types.mjs from shared/schema/events.json. Do not edit: run `npm run types`. */

/**
 * The data of each event, by the event's type
 */
export interface EventDataByType {
  "client:created": ClientCreated;
  "devis:created": DevisCreated;
  "devis:rejected": DevisRejected;
  "devis:signed": DevisSigned;
  "facture:created": FactureCreated;
  "facture:paid": FacturePaid;
  "intervention:completed": InterventionCompleted;
  "intervention:started": InterventionStarted;
  "message:received": MessageReceived;
}
/**
 * A customer was added.
 */
export interface ClientCreated {
  /**
   * Town.
   */
  city: string;
  /**
   * Identifier of the customer.
   */
  clientId: string;
  /**
   * The customer as shown.
   */
  clientName: string;
  /**
   * When.
   */
  createdAt: string;
  /**
   * Who added it.
   */
  createdBy: string;
  /**
   * Telephone number, if known.
   */
  phone?: string | null;
}
/**
 * A quote was drawn up.
 */
export interface DevisCreated {
  /**
   * Total with VAT in euro cents.
   */
  amountCents: number;
  /**
   * Identifier of the customer.
   */
  clientId: string;
  /**
   * The customer as shown: "Mme Lefèvre".
   */
  clientName: string;
  /**
   * When.
   */
  createdAt: string;
  /**
   * Who drew it up.
   */
  createdBy: string;
  /**
   * Identifier of the quote.
   */
  devisId: string;
  /**
   * Its number as printed: `D-2026-041`.
   */
  number: string;
  /**
   * What it is about: "Remplacement chauffe-eau".
   */
  title: string;
}
/**
 * The customer refused a quote.
 */
export interface DevisRejected {
  /**
   * Total with VAT in euro cents.
   */
  amountCents: number;
  /**
   * Identifier of the customer.
   */
  clientId: string;
  /**
   * The customer as shown: "Mme Lefèvre".
   */
  clientName: string;
  /**
   * Identifier of the quote.
   */
  devisId: string;
  /**
   * Its number as printed: `D-2026-041`.
   */
  number: string;
  /**
   * Why, in the customer's words.
   */
  reason: string;
  /**
   * When.
   */
  rejectedAt: string;
  /**
   * Who refused.
   */
  rejectedBy: string;
}
/**
 * The customer signed a quote.
 */
export interface DevisSigned {
  /**
   * Total with VAT in euro cents.
   */
  amountCents: number;
  /**
   * Identifier of the customer.
   */
  clientId: string;
  /**
   * The customer as shown: "Mme Lefèvre".
   */
  clientName: string;
  /**
   * Identifier of the quote.
   */
  devisId: string;
  /**
   * Its number as printed: `D-2026-041`.
   */
  number: string;
  /**
   * When.
   */
  signedAt: string;
  /**
   * Who signed.
   */
  signedBy: string;
}
/**
 * An invoice was issued.
 */
export interface FactureCreated {
  /**
   * Total with VAT in euro cents.
   */
  amountCents: number;
  /**
   * Identifier of the customer.
   */
  clientId: string;
  /**
   * The customer as shown.
   */
  clientName: string;
  /**
   * When.
   */
  createdAt: string;
  /**
   * Who issued it.
   */
  createdBy: string;
  /**
   * The quote that it bills, if there was one.
   */
  devisId?: string | null;
  /**
   * Day by which it is to be paid.
   */
  dueOn: string;
  /**
   * Identifier of the invoice.
   */
  factureId: string;
  /**
   * Its number as printed: `F-2026-112`.
   */
  number: string;
}
/**
 * An invoice was paid.
 */
export interface FacturePaid {
  /**
   * What was paid, in euro cents.
   */
  amountCents: number;
  /**
   * Identifier of the customer.
   */
  clientId: string;
  /**
   * The customer as shown.
   */
  clientName: string;
  /**
   * Identifier of the invoice.
   */
  factureId: string;
  /**
   * How it was paid.
   */
  method: "transfer" | "card" | "cheque" | "cash" | "directDebit";
  /**
   * Its number as printed: `F-2026-112`.
   */
  number: string;
  /**
   * When.
   */
  paidAt: string;
}
/**
 * A job is finished.
 */
export interface InterventionCompleted {
  /**
   * Identifier of the customer.
   */
  clientId: string;
  /**
   * The customer as shown.
   */
  clientName: string;
  /**
   * When.
   */
  completedAt: string;
  /**
   * Minutes between start and end.
   */
  durationMinutes: number;
  /**
   * Identifier of the job.
   */
  interventionId: string;
  /**
   * Who was there.
   */
  technicianName: string;
  /**
   * What was done.
   */
  title: string;
}
/**
 * A technician started a job.
 */
export interface InterventionStarted {
  /**
   * Where: "12 rue des Lilas, Nantes".
   */
  address: string;
  /**
   * Identifier of the customer.
   */
  clientId: string;
  /**
   * The customer as shown.
   */
  clientName: string;
  /**
   * Identifier of the job.
   */
  interventionId: string;
  /**
   * When.
   */
  startedAt: string;
  /**
   * Who is there.
   */
  technicianName: string;
  /**
   * What is done: "Recherche de fuite".
   */
  title: string;
}
/**
 * A customer wrote.
 */
export interface MessageReceived {
  /**
   * How it came.
   */
  channel: "app" | "email" | "sms" | "phone";
  /**
   * Identifier of the customer.
   */
  clientId: string;
  /**
   * The customer as shown.
   */
  clientName: string;
  /**
   * Identifier of the message.
   */
  messageId: string;
  /**
   * The first words of it.
   */
  preview: string;
  /**
   * When.
   */
  receivedAt: string;
}

/** Every type of the catalog, as a value. */
export const EVENT_TYPES = [
  "client:created",
  "devis:created",
  "devis:rejected",
  "devis:signed",
  "facture:created",
  "facture:paid",
  "intervention:completed",
  "intervention:started",
  "message:received",
] as const satisfies readonly (keyof EventDataByType)[];

/** What `typeof` says of each member of an event's data; with a `?` it may be left out. */
export const EVENT_MEMBERS: { readonly [T in keyof EventDataByType]: Readonly<Record<string, string>> } = {
  "client:created": {
    "city": "string",
    "clientId": "string",
    "clientName": "string",
    "createdAt": "string",
    "createdBy": "string",
    "phone": "string?"
  },
  "devis:created": {
    "amountCents": "number",
    "clientId": "string",
    "clientName": "string",
    "createdAt": "string",
    "createdBy": "string",
    "devisId": "string",
    "number": "string",
    "title": "string"
  },
  "devis:rejected": {
    "amountCents": "number",
    "clientId": "string",
    "clientName": "string",
    "devisId": "string",
    "number": "string",
    "reason": "string",
    "rejectedAt": "string",
    "rejectedBy": "string"
  },
  "devis:signed": {
    "amountCents": "number",
    "clientId": "string",
    "clientName": "string",
    "devisId": "string",
    "number": "string",
    "signedAt": "string",
    "signedBy": "string"
  },
  "facture:created": {
    "amountCents": "number",
    "clientId": "string",
    "clientName": "string",
    "createdAt": "string",
    "createdBy": "string",
    "devisId": "string?",
    "dueOn": "string",
    "factureId": "string",
    "number": "string"
  },
  "facture:paid": {
    "amountCents": "number",
    "clientId": "string",
    "clientName": "string",
    "factureId": "string",
    "method": "string",
    "number": "string",
    "paidAt": "string"
  },
  "intervention:completed": {
    "clientId": "string",
    "clientName": "string",
    "completedAt": "string",
    "durationMinutes": "number",
    "interventionId": "string",
    "technicianName": "string",
    "title": "string"
  },
  "intervention:started": {
    "address": "string",
    "clientId": "string",
    "clientName": "string",
    "interventionId": "string",
    "startedAt": "string",
    "technicianName": "string",
    "title": "string"
  },
  "message:received": {
    "channel": "string",
    "clientId": "string",
    "clientName": "string",
    "messageId": "string",
    "preview": "string",
    "receivedAt": "string"
  }
};
