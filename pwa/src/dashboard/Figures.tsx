import { FileText, type LucideIcon, MessageSquareText, ReceiptEuro, Wrench } from "lucide-react";
import type { ReactNode } from "react";
import { t } from "../i18n";
import type { Noun } from "./events";
import type { Figures as Numbers } from "./figures";

interface Props {
  /** `undefined`: not known yet. */
  figures: Numbers | undefined;
  /** A figure was chosen: show what it is made of. */
  onChoose(noun: Noun): void;
}

/** The day in five numbers. */
export function Figures({ figures, onChoose }: Props) {
  const say = (read: (f: Numbers) => string) => (figures ? read(figures) : t.figures.unknown);
  const card = (
    noun: Noun,
    Icon: LucideIcon,
    label: string,
    testId: string,
    read: (f: Numbers) => string,
    hint?: ReactNode,
  ) => (
    <li>
      <button type="button" className="figure" data-noun={noun} onClick={() => onChoose(noun)}>
        <span className="figure-label">
          <Icon aria-hidden="true" className="icon" />
          {label}
        </span>
        <span className="figure-number" data-testid={testId}>
          {say(read)}
        </span>
        <span className="figure-hint">{hint}</span>
      </button>
    </li>
  );
  return (
    <section aria-labelledby="figures-title">
      <h2 id="figures-title" className="visually-hidden">
        {t.figures.title}
      </h2>
      <ul className="figures">
        <li className="figure-wide">
          <button
            type="button"
            className="figure figure-hero"
            data-noun="devis"
            onClick={() => onChoose("devis")}
          >
            <span className="figure-label">
              <FileText aria-hidden="true" className="icon" />
              {t.figures.devis}
            </span>
            <span className="figure-number" data-testid="figure-devis-total">
              {say((f) => t.euros(f.devisTotalCents))}
            </span>
            <span className="figure-hint">
              <b data-testid="figure-devis-signed">{say((f) => t.number(f.devisSigned))}</b>{" "}
              {t.figures.devisCount(figures?.devisSigned ?? 0)}
            </span>
          </button>
        </li>
        {card(
          "facture",
          ReceiptEuro,
          t.figures.factures,
          "figure-factures-paid",
          (f) => t.number(f.facturesPaid),
          figures && figures.facturesPaid > 0 && t.euros(figures.facturesTotalCents),
        )}
        {card(
          "message",
          MessageSquareText,
          t.figures.messages,
          "figure-messages",
          (f) => t.number(f.messages),
          figures && figures.messages > 0 && t.figures.clients(figures.messageClients),
        )}
        {card("intervention", Wrench, t.figures.running, "figure-jobs-running", (f) =>
          t.number(f.jobsRunning),
        )}
        {card("intervention", Wrench, t.figures.done, "figure-jobs-done", (f) => t.number(f.jobsDone))}
      </ul>
    </section>
  );
}
