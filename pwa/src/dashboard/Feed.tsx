import { Fragment, type RefObject, useEffect, useRef, useState } from "react";
import { EventIcon, NOUN_ICONS } from "../components/NounIcon";
import { useRealtimeUpdates } from "../hooks";
import { t } from "../i18n";
import { dayKey } from "../i18n/format";
import type { RealtimeEvent } from "../realtime";
import { type Events, NOUNS, type Noun, nounOf } from "./events";
import { amountOf, detail, headline } from "./sentence";

/** How many are drawn at first, and more at a time. */
export const PAGE = 200;
const FRESH_MS = 8_000;

interface Props {
  events: Events;
  ready: boolean;
  failing: boolean;
  now: Date;
  filter: Noun | undefined;
  onFilter(noun: Noun | undefined): void;
  onOpen(event: RealtimeEvent): void;
  titleRef: RefObject<HTMLHeadingElement | null>;
}

/** What happened, the newest first. */
export function Feed({ events, ready, failing, now, filter, onFilter, onOpen, titleRef }: Props) {
  const [pages, setPages] = useState(1);
  const fresh = useFresh();
  const chosen = filter ? events.filter(({ type }) => nounOf(type) === filter) : events;
  const newestFirst = chosen.toReversed();
  const drawn = newestFirst.slice(0, pages * PAGE);
  const choose = (noun: Noun | undefined) => {
    setPages(1);
    onFilter(noun);
  };
  return (
    <section className="card feed" aria-labelledby="feed-title">
      <h2 id="feed-title" tabIndex={-1} ref={titleRef}>
        {t.feed.title}
      </h2>
      <Filters filter={filter} onFilter={choose} />
      {drawn.length === 0 ? (
        <p className="feed-empty">{emptyText(ready, failing, filter)}</p>
      ) : (
        <ol className="feed-list" data-testid="feed">
          {drawn.map((event, i) => (
            <Fragment key={event.id}>
              <DayOf event={event} before={drawn[i - 1]} now={now} />
              <Item event={event} now={now} fresh={fresh.has(event.id)} onOpen={onOpen} />
            </Fragment>
          ))}
        </ol>
      )}
      {drawn.length < chosen.length && (
        <button type="button" className="button feed-more" onClick={() => setPages(pages + 1)}>
          {t.feed.more}
        </button>
      )}
    </section>
  );
}

function emptyText(ready: boolean, failing: boolean, filter: Noun | undefined): string {
  if (failing) return t.feed.failed;
  if (!ready) return t.feed.loading;
  return filter ? t.feed.emptyFiltered : t.feed.empty;
}

function Filters({ filter, onFilter }: Pick<Props, "filter" | "onFilter">) {
  return (
    <fieldset className="filters">
      <legend className="visually-hidden">{t.feed.filters}</legend>
      <button
        type="button"
        className="filter"
        aria-pressed={filter === undefined}
        data-testid="filter-all"
        onClick={() => onFilter(undefined)}
      >
        <span className="filter-all" aria-hidden="true" />
        {t.feed.all}
      </button>
      {NOUNS.map((noun) => {
        const Icon = NOUN_ICONS[noun];
        return (
          <button
            key={noun}
            type="button"
            className="filter"
            aria-pressed={filter === noun}
            data-testid={`filter-${noun}`}
            onClick={() => onFilter(filter === noun ? undefined : noun)}
          >
            <Icon aria-hidden="true" className="icon" />
            {t.feed.nouns[noun]}
          </button>
        );
      })}
    </fieldset>
  );
}

/** A heading where another day begins; today has none. */
function DayOf({
  event,
  before,
  now,
}: {
  event: RealtimeEvent;
  before: RealtimeEvent | undefined;
  now: Date;
}) {
  const date = new Date(event.time);
  const key = dayKey(date);
  if (key === dayKey(before ? new Date(before.time) : now)) return null;
  return <li className="feed-day">{t.upperFirst(t.today(date))}</li>;
}

function Item({
  event,
  now,
  fresh,
  onOpen,
}: { event: RealtimeEvent; now: Date; fresh: boolean } & Pick<Props, "onOpen">) {
  const amount = amountOf(event);
  const more = detail(event);
  return (
    <li
      className={fresh ? "feed-item is-fresh" : "feed-item"}
      data-testid="feed-item"
      data-event-id={event.id}
      data-type={event.type}
    >
      <button type="button" className="feed-button" aria-haspopup="dialog" onClick={() => onOpen(event)}>
        <EventIcon type={event.type} />
        <span className="feed-text">
          <span className="feed-headline">{headline(event)}</span>
          {more !== "" && <span className="feed-detail">{more}</span>}
        </span>
        <span className="feed-side">
          {amount !== undefined && <span className="amount">{t.euros(amount)}</span>}
          <time dateTime={event.time}>{t.relative(new Date(event.time), now)}</time>
          {fresh && <span className="visually-hidden">{t.feed.fresh}</span>}
        </span>
      </button>
    </li>
  );
}

/** The events that came in the last seconds, while the page was open. */
function useFresh(): ReadonlySet<string> {
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());
  useRealtimeUpdates({
    "*": ({ id }) => {
      setFresh((ids) => new Set(ids).add(id));
      const timer = setTimeout(() => {
        timers.current.delete(timer);
        setFresh((ids) => new Set([...ids].filter((other) => other !== id)));
      }, FRESH_MS);
      timers.current.add(timer);
    },
  });
  useEffect(() => {
    const running = timers.current;
    return () => {
      for (const timer of running) clearTimeout(timer);
    };
  }, []);
  return fresh;
}
