import { expect, test } from "vitest";
import { hoursOf } from "./chart";
import { figuresOf } from "./figures";
import { sample } from "./samples";

const NOW = new Date("2026-11-24T19:00:00");

test("signed quotes of today count once each, with their total", () => {
  const signed = sample("devis:signed", { devisId: "a", amountCents: 482_000 });
  const again = { ...signed, id: "1763800000000-900" };
  const other = sample("devis:signed", { devisId: "b", amountCents: 1_050 });
  const yesterday = sample("devis:signed", { devisId: "c" }, "2026-11-23T23:59:59");
  const figures = figuresOf([yesterday, signed, again, other], NOW);
  expect(figures.devisSigned).toBe(2);
  expect(figures.devisTotalCents).toBe(483_050);
});

test("an invoice that is paid in two parts is one invoice with both amounts", () => {
  const parts = [1_000, 2_500].map((amountCents) => sample("facture:paid", { factureId: "f", amountCents }));
  const figures = figuresOf(parts, NOW);
  expect(figures.facturesPaid).toBe(1);
  expect(figures.facturesTotalCents).toBe(3_500);
});

test("a job runs from its start, whenever that was, until it is completed", () => {
  const overnight = sample(
    "intervention:started",
    { interventionId: "a", technicianName: "Sofia Da Costa" },
    "2026-11-23T22:00:00",
  );
  const started = sample("intervention:started", { interventionId: "b" });
  const completed = sample("intervention:completed", { interventionId: "b", durationMinutes: 95 });
  expect(figuresOf([overnight, started], NOW)).toMatchObject({ jobsRunning: 2, jobsDone: 0 });
  expect(figuresOf([overnight, started, completed], NOW)).toMatchObject({
    jobsRunning: 1,
    technicians: ["Sofia Da Costa"],
    jobsDone: 1,
    doneMinutes: 95,
  });
});

test("a completion without its start counts as done and as nothing that runs", () => {
  const completed = sample("intervention:completed", { interventionId: "z" });
  expect(figuresOf([completed], NOW)).toMatchObject({ jobsRunning: 0, jobsDone: 1 });
});

test("messages of today count, and how many customers wrote", () => {
  const messages = ["1", "2", "3"].map((messageId) =>
    sample("message:received", { messageId, clientId: messageId === "3" ? "b" : "a" }),
  );
  expect(figuresOf(messages, NOW)).toMatchObject({ messages: 3, messageClients: 2 });
});

test("today ends at the local midnight", () => {
  const late = sample("devis:signed", {}, "2026-11-24T23:59:59.999");
  expect(figuresOf([late], new Date("2026-11-24T23:59:59.999")).devisSigned).toBe(1);
  expect(figuresOf([late], new Date("2026-11-25T00:00:00")).devisSigned).toBe(0);
});

test("the chart counts by local hour and widens for early and late ones", () => {
  const at = (time: string) => sample("message:received", {}, `2026-11-24T${time}`);
  const day = hoursOf([at("05:10:00"), at("09:00:00"), at("09:59:59"), at("22:30:00")], NOW);
  expect(day.total).toBe(4);
  expect(day.busiest).toBe(9);
  expect(day.hours[0]).toEqual({ hour: 5, count: 1 });
  expect(day.hours.at(-1)).toEqual({ hour: 22, count: 1 });
  expect(hoursOf([], NOW)).toMatchObject({ total: 0, busiest: undefined });
  expect(hoursOf([], NOW).hours.map(({ hour }) => hour)).toEqual(Array.from({ length: 15 }, (_, i) => i + 6));
});
