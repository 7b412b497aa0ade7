import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Toaster } from "sonner";
import { useShownConnection } from "../components/ConnectionIndicator";
import { Dashboard } from "../dashboard/Dashboard";
import { isDemo } from "../demo/demo";
import { useConnectionState } from "../hooks";
import { t } from "../i18n";
import type { ConnectionState } from "../realtime";
import { Header } from "./Header";
import { SignIn } from "./SignIn";
import type { Identity } from "./session";
import { getTheme, subscribeTheme } from "./theme";
import { useSession } from "./useSession";

const DemoPanel = lazy(() => import("../demo/DemoPanel"));
const WIDE = matchMedia("(min-width: 60rem)");

export function App() {
  const session = useSession();
  const state = useConnectionState();
  const signedIn = session.kind === "signed-in";
  const connection = useConnectionOf(session.kind, state);
  const shown = useShownConnection(connection);
  useFocusOfPage(session.kind);
  return (
    <>
      <a className="skip" href="#main">
        {t.app.skip}
      </a>
      <Header name={signedIn ? session.identity.companyName : undefined} connection={connection} />
      {signedIn && <Dashboard key={personOf(session.identity)} connection={shown} />}
      {session.kind === "starting" && <p className="starting">{t.app.starting}</p>}
      {(session.kind === "signed-out" || session.kind === "unreachable") && <SignIn state={session} />}
      <Demo />
      <Toasts />
    </>
  );
}

/** Another person's page is another page. */
const personOf = ({ companyId, userId }: Identity) => JSON.stringify([companyId, userId]);

const CONNECTING: ConnectionState = { kind: "connecting" };
const OFFLINE: ConnectionState = { kind: "offline" };
const SIGNED_OUT: ConnectionState = { kind: "signed-out", reason: "signed-out" };

/** Who is not signed in is not connected, whatever the client was last. */
function useConnectionOf(
  session: ReturnType<typeof useSession>["kind"],
  state: ConnectionState,
): ConnectionState {
  if (session === "signed-in") return state;
  if (session === "signed-out") return state.kind === "signed-out" ? state : SIGNED_OUT;
  return session === "unreachable" ? OFFLINE : CONNECTING;
}

/** Who comes in or goes out stands on a button that is gone: they go on from the new page's title. */
function useFocusOfPage(page: ReturnType<typeof useSession>["kind"]): void {
  const before = useRef(page);
  useEffect(() => {
    const isAnother = before.current !== page && before.current !== "starting";
    before.current = page;
    if (!isAnother || document.activeElement !== document.body) return;
    document.querySelector<HTMLElement>("#main h1")?.focus({ preventScroll: true });
  }, [page]);
}

function Demo() {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    void isDemo().then(setShown);
  }, []);
  return shown ? (
    <Suspense>
      <DemoPanel />
    </Suspense>
  ) : null;
}

/** On a phone toasts come from above: below are the thumb's things. */
function Toasts() {
  const theme = useSyncExternalStore(subscribeTheme, getTheme);
  const wide = useSyncExternalStore(
    (changed) => {
      WIDE.addEventListener("change", changed);
      return () => WIDE.removeEventListener("change", changed);
    },
    () => WIDE.matches,
  );
  return (
    <Toaster
      theme={theme}
      position={wide ? "bottom-left" : "top-center"}
      mobileOffset={{ top: "calc(4.25rem + env(safe-area-inset-top))", left: "0.75rem", right: "0.75rem" }}
      containerAriaLabel={t.app.notifications}
      toastOptions={{ closeButtonAriaLabel: t.app.close }}
    />
  );
}
