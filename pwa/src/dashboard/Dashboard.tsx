import { Hourglass } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { isCurrent, type Shown } from "../components/connection";
import { useNow } from "../components/useNow";
import { t } from "../i18n";
import type { RealtimeEvent } from "../realtime";
import { Announcements } from "./Announcements";
import { AsOf } from "./AsOf";
import { hoursOf } from "./chart";
import { DayChart } from "./DayChart";
import { Detail } from "./Detail";
import type { Noun } from "./events";
import { Feed } from "./Feed";
import { Figures } from "./Figures";
import { figuresOf } from "./figures";
import { useDashboardData } from "./queries";
import { subjectOf } from "./subject";
import { useSubject } from "./useSubject";

const TICK_MS = 15_000;

function Outdated() {
  return (
    <p className="as-of" data-testid="outdated">
      <Hourglass aria-hidden="true" className="icon" />
      {t.feed.outdated}
    </p>
  );
}

/** What an owner looks at: the day's figures, its hours, and what happens. */
export function Dashboard({ connection }: { connection: Shown }) {
  const { events, ready, failing, outdated, knownAt } = useDashboardData();
  const now = useNow(TICK_MS);
  const { subject, open, close } = useSubject();
  const [filter, setFilter] = useState<Noun>();
  const feedTitle = useRef<HTMLHeadingElement>(null);

  const figures = useMemo(() => (ready ? figuresOf(events, now) : undefined), [events, ready, now]);
  const day = useMemo(() => hoursOf(events, now), [events, now]);

  const openEvent = (event: RealtimeEvent) => open(subjectOf(event));
  const chooseFigure = (noun: Noun) => {
    setFilter(noun);
    feedTitle.current?.focus({ preventScroll: true });
    feedTitle.current?.scrollIntoView({ block: "start" });
  };
  const chooseFilter = (noun: Noun | undefined) => {
    setFilter(noun);
    feedTitle.current?.scrollIntoView({ block: "nearest" });
  };

  return (
    <main className="dashboard" id="main">
      <div className="day">
        <h1 tabIndex={-1}>{t.upperFirst(t.today(now))}</h1>
        {isCurrent(connection) ? outdated && <Outdated /> : <AsOf knownAt={knownAt} />}
      </div>
      <Figures figures={figures} onChoose={chooseFigure} />
      <div className="columns">
        <DayChart day={day} now={now} />
        <Feed
          {...{ events, ready, failing, now, filter }}
          onFilter={chooseFilter}
          onOpen={openEvent}
          titleRef={feedTitle}
        />
      </div>
      <Detail events={events} subject={subject} onOpen={open} onClose={close} />
      <Announcements onOpen={openEvent} />
    </main>
  );
}
