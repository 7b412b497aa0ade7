import { t } from "../i18n";
import type { DayOfHours } from "./chart";

const HEIGHT = 132;
const FOOT = 24;
const HEAD = 18;
/** A quiet day does not look like a busy one. */
const LOWEST_TOP = 4;

/** A bar for each hour of the day; the same as a table for those who do not see it. */
export function DayChart({ day, now }: { day: DayOfHours; now: Date }) {
  const { hours } = day;
  const most = Math.max(LOWEST_TOP, ...hours.map(({ count }) => count));
  const width = 100 / hours.length;
  const floor = HEIGHT - FOOT;
  const summary = t.chart.summary(day.total, day.busiest);
  return (
    <section className="card chart" aria-labelledby="chart-heading" data-testid="chart">
      <h2 id="chart-heading">{t.chart.title}</h2>
      <p className="chart-summary">{summary}</p>
      <svg width="100%" height={HEIGHT} role="img" aria-labelledby="chart-title chart-desc">
        <title id="chart-title">{t.chart.title}</title>
        <desc id="chart-desc">{summary}</desc>
        <line className="chart-floor" x1="0" x2="100%" y1={floor + 0.5} y2={floor + 0.5} />
        {hours.map(({ hour, count }, i) => {
          const x = (part: number) => `${(i + part) * width}%`;
          const tall = (count / most) * (floor - HEAD);
          return (
            <g key={hour} className={hour === now.getHours() ? "chart-hour is-now" : "chart-hour"}>
              {count > 0 && (
                <>
                  <rect x={x(0.16)} width={`${width * 0.68}%`} y={floor - tall} height={tall} rx="3" />
                  <text className="chart-count" x={x(0.5)} y={floor - tall - 5}>
                    {count}
                  </text>
                </>
              )}
              {hour % 2 === 0 && (
                <text className="chart-label" x={x(0.5)} y={HEIGHT - 7}>
                  {hour}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <table className="visually-hidden">
        <caption>{t.chart.title}</caption>
        <thead>
          <tr>
            <th scope="col">{t.chart.columnHour}</th>
            <th scope="col">{t.chart.columnCount}</th>
          </tr>
        </thead>
        <tbody>
          {hours.map(({ hour, count }) => (
            <tr key={hour}>
              <th scope="row">{t.chart.span(hour)}</th>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
