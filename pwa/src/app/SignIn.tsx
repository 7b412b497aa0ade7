import { useState } from "react";
import { t } from "../i18n";
import { type Session, session } from "./session";

type Out = Extract<Session, { kind: "signed-out" | "unreachable" }>;

/** The door: says why one stands outside, and lets in. */
export function SignIn({ state }: { state: Out }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const unreachable = state.kind === "unreachable";
  const reason = state.kind === "signed-out" && state.reason ? t.signIn.reasons[state.reason] : undefined;

  const act = async () => {
    setBusy(true);
    setProblem(undefined);
    if (unreachable) await session.resume();
    else {
      const result = await session.signIn();
      if (result !== "ok") setProblem(t.signIn[result]);
    }
    setBusy(false);
  };

  const label = unreachable ? t.signIn.retry : t.signIn.button;
  return (
    <main className="door" id="main">
      <img src="/icon.svg" alt="" width="72" height="72" />
      <h1 tabIndex={-1}>{t.signIn.title}</h1>
      <p className="door-lead">{t.signIn.lead}</p>
      <p className="door-problem" role="alert">
        {problem ?? (unreachable ? t.signIn.unreachable : reason)}
      </p>
      <button
        type="button"
        className="button button-main door-button"
        data-testid="sign-in"
        aria-disabled={busy}
        onClick={() => !busy && void act()}
      >
        {busy ? t.signIn.busy : label}
      </button>
    </main>
  );
}
