import { Clock } from "lucide-react";
import { persistence } from "../app/application";
import { t } from "../i18n";

/** The date of what is on the screen while it is not live. */
export function AsOf({ knownAt }: { knownAt: number }) {
  const at = new Date(Math.max(knownAt, persistence.liveAt));
  if (at.getTime() === 0) return null;
  return (
    <p className="as-of" data-testid="as-of">
      <Clock aria-hidden="true" className="icon" />
      <time dateTime={at.toISOString()}>{t.connection.asOf(at)}</time>
    </p>
  );
}
