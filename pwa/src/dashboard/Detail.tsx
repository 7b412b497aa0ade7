import { ChevronRight, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { EventIcon } from "../components/NounIcon";
import { t } from "../i18n";
import type { RealtimeEvent } from "../realtime";
import type { Events } from "./events";
import { factsOf } from "./facts";
import { amountOf, detail, headline, titleOf } from "./sentence";
import { historyOf, ownEvents, type Subject, statusOf } from "./subject";

interface Props {
  events: Events;
  subject: Subject | undefined;
  onOpen(subject: Subject): void;
  onClose(): void;
}

/** All about one thing. A modal dialog: the browser keeps the focus in it, and gives it back. */
export function Detail({ events, subject, onOpen, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = subject !== undefined;
  useEffect(() => {
    const element = dialog.current;
    if (isOpen && !element?.open) element?.showModal();
    if (!isOpen && element?.open) element.close();
  }, [isOpen]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog; the click is one beside it.
    <dialog
      ref={dialog}
      className="detail"
      data-testid="detail"
      aria-labelledby="detail-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      {subject && <Content key={`${subject.noun}/${subject.id}`} {...{ events, subject, onOpen, onClose }} />}
    </dialog>
  );
}

function Content({ events, subject, onOpen, onClose }: Props & { subject: Subject }) {
  const own = ownEvents(events, subject);
  const history = historyOf(events, subject);
  const newest = own.at(-1) ?? history.at(-1);
  const status = statusOf(own);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <div className="detail-content">
      <header className="detail-head">
        <h2 id="detail-title" ref={title} tabIndex={-1}>
          {newest ? titleOf(newest, subject) : t.detail.gone}
        </h2>
        {status && (
          <span className="status" data-status={status}>
            {t.detail.status[status]}
          </span>
        )}
        <button
          type="button"
          className="icon-button detail-close"
          aria-label={t.detail.close}
          onClick={onClose}
        >
          <X aria-hidden="true" className="icon" />
        </button>
      </header>
      {newest && (
        <>
          <h3 className="visually-hidden">{t.detail.facts}</h3>
          <dl className="facts">
            {factsOf(own, history, subject).map(([label, value]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd>
                  {label === t.detail.labels.phone ? (
                    <a href={`tel:${value.replace(/\s/g, "")}`}>{value}</a>
                  ) : (
                    value
                  )}
                </dd>
              </div>
            ))}
          </dl>
          <h3>{t.detail.history}</h3>
          <ol className="history">
            {history.map((event) => (
              <HistoryItem key={event.id} event={event} />
            ))}
          </ol>
          {subject.noun !== "client" && (
            <button
              type="button"
              className="button detail-client"
              onClick={() => onOpen({ noun: "client", id: newest.data.clientId })}
            >
              {t.detail.allOf(newest.data.clientName)}
              <ChevronRight aria-hidden="true" className="icon" />
            </button>
          )}
        </>
      )}
    </div>
  );
}

function HistoryItem({ event }: { event: RealtimeEvent }) {
  const amount = amountOf(event);
  const more = detail(event);
  return (
    <li>
      <EventIcon type={event.type} />
      <div>
        <time dateTime={event.time}>{t.upperFirst(t.moment(new Date(event.time)))}</time>
        <p className="feed-headline">{headline(event)}</p>
        {more !== "" && <p className="feed-detail">{more}</p>}
      </div>
      {amount !== undefined && <span className="amount">{t.euros(amount)}</span>}
    </li>
  );
}
