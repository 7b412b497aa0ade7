import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { createRef, useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import type { RealtimeEvent } from "../realtime";
import type { Events, Noun } from "./events";
import { Feed, PAGE } from "./Feed";
import { sample } from "./samples";

afterEach(cleanup);

const NOW = new Date("2026-11-24T19:00:00");

function Page({ events, onOpen = () => {} }: { events: Events; onOpen?(event: RealtimeEvent): void }) {
  const [filter, setFilter] = useState<Noun>();
  return (
    <Feed
      {...{ events, filter, onOpen, now: NOW, ready: true, failing: false }}
      onFilter={setFilter}
      titleRef={createRef()}
    />
  );
}

const shown = () => screen.queryAllByTestId("feed-item").map((item) => item.dataset.eventId);

test("the newest comes first, in a sentence with its amount and when it was", () => {
  const events = [
    sample("client:created"),
    sample("devis:signed", { amountCents: 482_000 }, "2026-11-24T18:57:00"),
  ];
  render(<Page events={events} />);
  expect(shown()).toEqual([events[1]?.id, events[0]?.id]);
  const text = screen.getAllByTestId("feed-item")[0]?.textContent;
  expect(text).toContain("Devis D-2026-041 signé par Mme Lefèvre");
  expect(text).toContain("4\u202f820\u00a0€");
  expect(text).toContain("il y a 3\u00a0min");
});

test("a filter shows its noun alone, says that it is pressed, and pressed again shows all", () => {
  const events = [sample("devis:signed"), sample("message:received")];
  render(<Page events={events} />);
  const filter = screen.getByTestId("filter-message");
  fireEvent.click(filter);
  expect(filter.getAttribute("aria-pressed")).toBe("true");
  expect(shown()).toEqual([events[1]?.id]);
  fireEvent.click(filter);
  expect(filter.getAttribute("aria-pressed")).toBe("false");
  expect(shown()).toHaveLength(2);
});

test("a long list is drawn by and by", () => {
  const events = Array.from({ length: PAGE + 5 }, () => sample("message:received"));
  render(<Page events={events} />);
  expect(shown()).toHaveLength(PAGE);
  fireEvent.click(screen.getByRole("button", { name: "Afficher plus" }));
  expect(shown()).toHaveLength(PAGE + 5);
  expect(screen.queryByRole("button", { name: "Afficher plus" })).toBeNull();
});

test("other days have their heading", () => {
  render(<Page events={[sample("devis:signed", {}, "2026-11-23T18:00:00"), sample("devis:signed")]} />);
  expect(screen.getByText("Lundi 23 novembre")).toBeTruthy();
  expect(screen.queryByText("Mardi 24 novembre")).toBeNull();
});

test("an item opens what it is about", () => {
  const event = sample("devis:signed");
  const open = vi.fn();
  render(<Page events={[event]} onOpen={open} />);
  fireEvent.click(screen.getByRole("button", { name: /Devis D-2026-041/ }));
  expect(open).toHaveBeenCalledExactlyOnceWith(event);
});
