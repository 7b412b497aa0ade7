import { CheckCheck, FileText, type LucideIcon, MessageSquareText, ReceiptEuro, Wrench } from "lucide-react";
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

const firstName = (name: string) => name.split(" ")[0];

/** The day in five numbers. */
export function Figures({ figures, onChoose }: Props) {
  const say = (read: (f: Numbers) => string) => (figures ? read(figures) : t.figures.unknown);
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
        <Card
          noun="facture"
          Icon={ReceiptEuro}
          label={t.figures.factures}
          testId="figure-factures-paid"
          number={say((f) => t.number(f.facturesPaid))}
          hint={figures && figures.facturesPaid > 0 && t.euros(figures.facturesTotalCents)}
          onChoose={onChoose}
        />
        <Card
          noun="message"
          Icon={MessageSquareText}
          label={t.figures.messages}
          testId="figure-messages"
          number={say((f) => t.number(f.messages))}
          hint={figures && figures.messages > 0 && t.figures.clients(figures.messageClients)}
          onChoose={onChoose}
        />
        <Card
          noun="intervention"
          Icon={Wrench}
          label={t.figures.running}
          testId="figure-jobs-running"
          number={say((f) => t.number(f.jobsRunning))}
          hint={figures?.technicians.map(firstName).join(", ")}
          onChoose={onChoose}
        />
        <Card
          noun="intervention"
          Icon={CheckCheck}
          label={t.figures.done}
          testId="figure-jobs-done"
          number={say((f) => t.number(f.jobsDone))}
          hint={figures && figures.jobsDone > 0 && t.figures.worked(figures.doneMinutes)}
          onChoose={onChoose}
        />
      </ul>
    </section>
  );
}

interface CardProps extends Pick<Props, "onChoose"> {
  noun: Noun;
  Icon: LucideIcon;
  label: string;
  testId: string;
  number: string;
  hint: ReactNode;
}

function Card({ noun, Icon, label, testId, number, hint, onChoose }: CardProps) {
  return (
    <li>
      <button type="button" className="figure" data-noun={noun} onClick={() => onChoose(noun)}>
        <span className="figure-label">
          <Icon aria-hidden="true" className="icon" />
          {label}
        </span>
        <span className="figure-number" data-testid={testId}>
          {number}
        </span>
        <span className="figure-hint">{hint}</span>
      </button>
    </li>
  );
}
