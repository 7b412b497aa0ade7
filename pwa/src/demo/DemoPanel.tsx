import { AppWindow, FlaskConical, Plug, RotateCw, Unplug } from "lucide-react";
import { useEffect, useState } from "react";
import { toast } from "sonner";
import { t } from "../i18n";
import { cutNetwork, type DemoState, fetchDemoState, restartGateway, restoreNetwork } from "./demo";

const ASK_EVERY_MS = 1_000;

/** Breaks things on purpose, so that one can watch the page recover. */
export default function DemoPanel() {
  const [open, setOpen] = useState(() => matchMedia("(min-width: 60rem)").matches);
  const [state, setState] = useState<DemoState>({ network: "up", gateway: "up" });
  useEffect(() => {
    if (!open) return;
    let gone = false;
    const ask = async () => {
      const answer = await fetchDemoState();
      if (answer && !gone) setState(answer);
    };
    void ask();
    const timer = setInterval(ask, ASK_EVERY_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [open]);

  const act = (what: () => Promise<boolean>, then: Partial<DemoState>) => async () => {
    if (await what()) setState((before) => ({ ...before, ...then }));
    else toast(t.demo.failed);
  };
  const isUp = state.network === "up";
  const restarting = state.gateway === "down";

  return (
    <aside className="demo-side" aria-label={t.demo.title}>
      <details
        className="demo"
        data-testid="demo-panel"
        open={open}
        onToggle={(event) => setOpen(event.currentTarget.open)}
      >
        <summary>
          <FlaskConical aria-hidden="true" className="icon" />
          <span>{t.demo.title}</span>
        </summary>
        <div className="demo-content">
          <p>{t.demo.lead}</p>
          <button
            type="button"
            className="button"
            data-testid="demo-network"
            onClick={isUp ? act(cutNetwork, { network: "down" }) : act(restoreNetwork, { network: "up" })}
          >
            {isUp ? (
              <Unplug aria-hidden="true" className="icon" />
            ) : (
              <Plug aria-hidden="true" className="icon" />
            )}
            {isUp ? t.demo.cut : t.demo.restore}
          </button>
          <button
            type="button"
            className="button"
            data-testid="demo-gateway"
            aria-disabled={restarting}
            onClick={restarting ? undefined : act(restartGateway, { gateway: "down" })}
          >
            <RotateCw aria-hidden="true" className="icon" />
            {restarting ? t.demo.restarting : t.demo.restart}
          </button>
          <a className="button" data-testid="demo-tab" href="/" target="_blank" rel="noopener">
            <AppWindow aria-hidden="true" className="icon" />
            {t.demo.tab}
          </a>
        </div>
      </details>
    </aside>
  );
}
