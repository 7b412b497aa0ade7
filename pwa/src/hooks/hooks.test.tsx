import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import type { ConnectionState, Delivery, RealtimeEvent } from "../realtime";
import { realtime } from "../services/websocket.service";
import { useConnectionState, useRealtimeUpdates } from ".";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

it("useRealtimeUpdates calls the handlers of the latest render, while it is mounted", () => {
  let hear: ((event: RealtimeEvent, delivery: Delivery) => void) | undefined;
  const stop = vi.fn();
  vi.spyOn(realtime, "on").mockImplementation((_, handler) => {
    hear = handler as typeof hear;
    return stop;
  });
  const heard: string[] = [];
  function Page({ name }: { readonly name: string }) {
    useRealtimeUpdates({
      "devis:signed": ({ data }) => heard.push(`${name}: ${data.clientName}`),
      // @ts-expect-error a misspelt type does not compile
      "devis:singed": () => heard.push("never"),
    });
    return null;
  }
  const { rerender, unmount } = render(<Page name="first" />);
  rerender(<Page name="second" />);
  const event = { type: "devis:signed", data: { clientName: "Mme Lefèvre" } } as RealtimeEvent;
  hear?.(event, { announce: false, recovered: false });
  expect(heard).toEqual(["second: Mme Lefèvre"]);
  expect(realtime.on).toHaveBeenCalledTimes(1);
  unmount();
  expect(stop).toHaveBeenCalledTimes(1);
});

it("useConnectionState renders again when the state changes", () => {
  let state: ConnectionState = { kind: "connecting" };
  let changed = (): void => {};
  vi.spyOn(realtime, "getState").mockImplementation(() => state);
  vi.spyOn(realtime, "subscribe").mockImplementation((listener) => {
    changed = listener;
    return () => {};
  });
  function Light() {
    return <p>{useConnectionState().kind}</p>;
  }
  render(<Light />);
  expect(screen.getByText("connecting")).toBeTruthy();
  state = { kind: "live", transport: "sse" };
  act(() => changed());
  expect(screen.getByText("live")).toBeTruthy();
});
