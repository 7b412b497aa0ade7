import {
  Ban,
  CheckCheck,
  FileText,
  type LucideIcon,
  MessageSquareText,
  PenLine,
  ReceiptEuro,
  ReceiptText,
  UserRound,
  Wrench,
} from "lucide-react";
import type { Noun } from "../dashboard/events";
import type { EventType } from "../realtime";

export const NOUN_ICONS: Record<Noun, LucideIcon> = {
  devis: FileText,
  facture: ReceiptEuro,
  intervention: Wrench,
  client: UserRound,
  message: MessageSquareText,
};

const EVENT_ICONS: Record<EventType, LucideIcon> = {
  "devis:created": FileText,
  "devis:signed": PenLine,
  "devis:rejected": Ban,
  "facture:created": ReceiptText,
  "facture:paid": ReceiptEuro,
  "intervention:started": Wrench,
  "intervention:completed": CheckCheck,
  "client:created": UserRound,
  "message:received": MessageSquareText,
};

/** The sign of a type of event, in the colour of its noun; decoration beside a text. */
export function EventIcon({ type }: { type: EventType }) {
  const Icon = EVENT_ICONS[type];
  return (
    <span className="event-icon" data-noun={type.split(":")[0]} data-type={type} aria-hidden="true">
      <Icon className="icon" />
    </span>
  );
}
