import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ConnectionState } from "../realtime";
import { ConnectionIndicator, SAY_AFTER_MS, SHOW_AFTER_MS } from "./ConnectionIndicator";

const LIVE: ConnectionState = { kind: "live", transport: "websocket" };
const DEGRADED: ConnectionState = { kind: "degraded", transport: "websocket" };
const reconnecting = (inMs: number): ConnectionState => ({
  kind: "reconnecting",
  at: Date.now() + inMs,
  attempt: 1,
});

const retry = vi.fn();
const page = (state: ConnectionState) => <ConnectionIndicator state={state} onRetry={retry} />;
const indicator = () => screen.getByTestId("connection");
const seen = () => indicator().querySelector("span[aria-hidden]")?.textContent;
const heard = () => indicator().querySelector(".visually-hidden")?.textContent;
const pass = (ms: number) => act(() => vi.advanceTimersByTime(ms));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.clearAllMocks();
});

test.each<[ConnectionState, string, string, string]>([
  [{ kind: "idle" }, "connecting", "", "Connexion…"],
  [{ kind: "connecting" }, "connecting", "", "Connexion…"],
  [LIVE, "live", "websocket", "En direct"],
  [{ kind: "live", transport: "sse" }, "live", "sse", "En direct"],
  [{ kind: "live", transport: "polling" }, "polling", "polling", "Mode secours"],
  [DEGRADED, "degraded", "websocket", "Données en retard"],
  [{ kind: "offline" }, "offline", "", "Hors ligne"],
  [{ kind: "signed-out", reason: "expired" }, "signed-out", "", "Déconnecté"],
])("%j", (state, dataState, transport, text) => {
  render(page(state));
  expect(indicator().dataset.state).toBe(dataState);
  expect(indicator().dataset.transport).toBe(transport);
  expect(indicator().getAttribute("role")).toBe("status");
  expect(indicator().querySelector("svg")).toBeTruthy();
  expect(seen()).toBe(text);
});

test("trouble is true at once, seen after a moment, and heard after it has lasted", () => {
  const { rerender } = render(page(LIVE));
  rerender(page(DEGRADED));
  expect(indicator().dataset.state).toBe("degraded");
  expect(seen()).toBe("En direct");
  pass(SHOW_AFTER_MS);
  expect(seen()).toBe("Données en retard");
  expect(heard()).toContain("en direct");
  pass(SAY_AFTER_MS);
  expect(heard()).toBe("Les données arrivent en retard");
});

test("trouble that is over within a moment is neither seen nor heard", () => {
  const { rerender } = render(page(LIVE));
  const said = heard();
  for (let i = 0; i < 5; i++) {
    rerender(page(reconnecting(300)));
    pass(SHOW_AFTER_MS - 100);
    expect(seen()).toBe("En direct");
    rerender(page(LIVE));
    pass(50);
  }
  pass(5_000);
  expect(heard()).toBe(said);
});

test("good news is seen at once", () => {
  const { rerender } = render(page({ kind: "offline" }));
  rerender(page(LIVE));
  expect(seen()).toBe("En direct");
});

test("the countdown is seen, not heard", () => {
  render(page(reconnecting(4_000)));
  expect(seen()).toBe("Reconnexion dans 4\u00a0s");
  const said = heard();
  pass(1_100);
  expect(seen()).toBe("Reconnexion dans 3\u00a0s");
  pass(10_000);
  expect(seen()).toBe("Reconnexion…");
  expect(heard()).toBe(said);
});

test("one can ask for an attempt when that helps, and only then", () => {
  const { rerender } = render(page(reconnecting(4_000)));
  fireEvent.click(screen.getByTestId("retry"));
  expect(retry).toHaveBeenCalledOnce();
  rerender(page(LIVE));
  expect(screen.queryByTestId("retry")).toBeNull();
  rerender(page(DEGRADED));
  pass(5_000);
  expect(screen.queryByTestId("retry")).toBeNull();
});
