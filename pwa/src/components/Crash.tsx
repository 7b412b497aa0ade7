import { Component, type ReactNode } from "react";
import { t } from "../i18n";

/** What is left when the page cannot be drawn: a way to start it again. */
export class Crash extends Component<{ children: ReactNode }, { crashed: boolean }> {
  override state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
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
