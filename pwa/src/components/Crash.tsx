import { Component, type ReactNode } from "react";
import { t } from "../i18n";

interface Props {
  children: ReactNode;
  /** It is over: what it came from should not be there at the next start. */
  onCrash(): void;
}

/** What is left when the page cannot be drawn: a way to start it again. */
export class Crash extends Component<Props, { crashed: boolean }> {
  override state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
  }

  override componentDidCatch() {
    this.props.onCrash();
  }

  override render() {
    if (!this.state.crashed) return this.props.children;
    return (
      <main className="door" role="alert">
        <h1>{t.app.crashed}</h1>
        <button type="button" className="button button-main" onClick={() => location.reload()}>
          {t.app.reload}
        </button>
      </main>
    );
  }
}
