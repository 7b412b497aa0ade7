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
import { type Noun, nounOf } from "../dashboard/events";
import type { EventType } from "../realtime";

export const NOUN_ICONS: Record<Noun, LucideIcon> = {
  devis: FileText,
  facture: ReceiptEuro,
  intervention: Wrench,
  client: UserRound,
  message: MessageSquareText,
};

/** Types with a sign of their own; the others have that of their noun. */
const EVENT_ICONS: { readonly [T in EventType]?: LucideIcon } = {
  "devis:signed": PenLine,
  "devis:rejected": Ban,
  "facture:created": ReceiptText,
  "intervention:completed": CheckCheck,
};

/** The sign of a type of event, in the colour of its noun; decoration beside a text. */
export function EventIcon({ type }: { type: EventType }) {
  const noun = nounOf(type);
  const Icon = EVENT_ICONS[type] ?? NOUN_ICONS[noun];
  return (
    <span className="event-icon" data-noun={noun} data-type={type} aria-hidden="true">
      <Icon className="icon" />
    </span>
  );
}
