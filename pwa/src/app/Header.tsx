import { LogOut, type LucideIcon, Moon, Sun, SunMoon } from "lucide-react";
import { useSyncExternalStore } from "react";
import { toast } from "sonner";
import { ConnectionIndicator } from "../components/ConnectionIndicator";
import { t } from "../i18n";
import type { ConnectionState } from "../realtime";
import { realtime } from "../services/websocket.service";
import { session } from "./session";
import { getTheme, nextTheme, subscribeTheme, type Theme } from "./theme";

const THEME_ICONS: Record<Theme, LucideIcon> = { system: SunMoon, light: Sun, dark: Moon };

/** Whose page it is, how the connection is, and the way out. */
export function Header({ name, connection }: { name: string | undefined; connection: ConnectionState }) {
  const signOut = async () => {
    if (!(await session.signOut())) toast(t.app.signOutLater);
  };
  return (
    <header className="header">
      <div className="header-inner">
        <p className="brand">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <span className="brand-name">{name ?? t.app.name}</span>
        </p>
        <ConnectionIndicator state={connection} onRetry={() => realtime.retry()} />
        <div className="header-buttons">
          <ThemeButton />
          {name !== undefined && (
            <button
              type="button"
              className="icon-button"
              data-testid="sign-out"
              aria-label={t.app.signOut}
              title={t.app.signOut}
              onClick={signOut}
            >
              <LogOut aria-hidden="true" className="icon" />
            </button>
          )}
        </div>
      </div>
    </header>
  );
}

function ThemeButton() {
  const theme = useSyncExternalStore(subscribeTheme, getTheme);
  const Icon = THEME_ICONS[theme];
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={t.app.theme[theme]}
      title={t.app.theme[theme]}
      onClick={nextTheme}
    >
      <Icon aria-hidden="true" className="icon" />
    </button>
  );
}
