import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Figures } from "./Figures";
import { figuresOf } from "./figures";
import { sample } from "./samples";

afterEach(cleanup);

const NOW = new Date("2026-11-24T19:00:00");
const number = (id: string) => screen.getByTestId(`figure-${id}`).textContent;

test("the elements of the figures hold the number and nothing else", () => {
  const events = [
    sample("devis:signed", { amountCents: 482_000 }),
    sample("facture:paid"),
    sample("intervention:started", { interventionId: "a" }),
    sample("intervention:completed", { interventionId: "b" }),
    sample("message:received"),
  ];
  render(<Figures figures={figuresOf(events, NOW)} onChoose={() => {}} />);
  expect(number("devis-signed")).toBe("1");
  expect(number("devis-total")).toBe("4\u202f820\u00a0€");
  expect(number("factures-paid")).toBe("1");
  expect(number("jobs-running")).toBe("1");
  expect(number("jobs-done")).toBe("1");
  expect(number("messages")).toBe("1");
});

test("what is not known is not a nought", () => {
  render(<Figures figures={undefined} onChoose={() => {}} />);
  expect(number("devis-signed")).toBe("–");
  expect(number("messages")).toBe("–");
});

test("a figure leads to what it is made of", () => {
  const choose = vi.fn();
  render(<Figures figures={figuresOf([], NOW)} onChoose={choose} />);
  fireEvent.click(screen.getByRole("button", { name: /Factures payées/ }));
  expect(choose).toHaveBeenCalledExactlyOnceWith("facture");
});
