/**
 * Says how the connection is: at once in `data-state`, calmly to the eye, and to the ear only what lasts. On a phone
 * trouble moves to the lower edge, where the thumb is.
 */
import {
  Hourglass,
  LifeBuoy,
  LoaderCircle,
  Lock,
  type LucideIcon,
  Radio,
  RefreshCw,
  RotateCw,
  WifiOff,
} from "lucide-react";
import { t } from "../i18n";
import type { ConnectionState } from "../realtime";
import { canRetry, isCurrent, type Shown, secondsUntil, shownOf, transportOf } from "./connection";
import { useCalm, useSettled } from "./useCalm";
import { useNow } from "./useNow";

const ICONS: Record<Shown, LucideIcon> = {
  live: Radio,
  degraded: Hourglass,
  polling: LifeBuoy,
  reconnecting: RotateCw,
  connecting: LoaderCircle,
  offline: WifiOff,
  "signed-out": Lock,
};

/** How long trouble lasts before it is shown, and before it is said. */
export const SHOW_AFTER_MS = 1_000;
export const SAY_AFTER_MS = 1_500;

/** The connection as the eye sees it: trouble that is over within a second is not shown. */
export function useShownConnection(state: ConnectionState): Shown {
  return useCalm(shownOf(state), isCalm, SHOW_AFTER_MS);
}

/** Nothing to wait for before it is shown. */
function isCalm(shown: Shown): boolean {
  return isCurrent(shown) || shown === "signed-out";
}

export function ConnectionIndicator({ state, onRetry }: { state: ConnectionState; onRetry(): void }) {
  const truth = shownOf(state);
  const shown = useShownConnection(state);
  const spoken = useSettled(shown, SAY_AFTER_MS);
  const Icon = ICONS[shown];
  return (
    <div className="connection" data-shown={shown}>
      <div
        className="connection-pill"
        data-testid="connection"
        data-state={truth}
        data-transport={transportOf(state) ?? ""}
        role="status"
        aria-live="polite"
        aria-atomic="true"
      >
        <Icon aria-hidden="true" className="icon" />
        <span aria-hidden="true">
          {shown === "reconnecting" ? <Countdown state={state} /> : t.connection[shown]}
        </span>
        <span className="visually-hidden">{t.connection.spoken[spoken]}</span>
      </div>
      {canRetry(shown) && (
        <button type="button" className="button connection-retry" data-testid="retry" onClick={onRetry}>
          <RefreshCw aria-hidden="true" className="icon" />
          {t.connection.retry}
        </button>
      )}
    </div>
  );
}

function Countdown({ state }: { state: ConnectionState }) {
  const at = state.kind === "reconnecting" ? state.at : undefined;
  const now = useNow(at === undefined ? undefined : 250);
  const seconds = at === undefined ? 0 : secondsUntil(at, now.getTime());
  return seconds > 0 ? t.connection.reconnectingIn(seconds) : t.connection.reconnecting;
}
