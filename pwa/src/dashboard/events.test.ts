import fc from "fast-check";
import { expect, test } from "vitest";
import { EVENT_TYPES } from "../realtime";
import { mergeEvents, NOUNS, nounOf } from "./events";
import { sample } from "./samples";
import { fromHash, historyOf, ownEvents, statusOf, subjectOf, toHash } from "./subject";

test("every type of the catalog is about one of the nouns", () => {
  for (const type of EVENT_TYPES) expect(NOUNS).toContain(nounOf(type));
});

test("every type belongs to the history of what it is about", () => {
  for (const type of EVENT_TYPES) {
    const event = sample(type);
    expect(historyOf([event], subjectOf(event))).toEqual([event]);
    expect(Object.entries(event.data)).toContainEqual([`${nounOf(type)}Id`, subjectOf(event).id]);
  }
});

test("however lists overlap and arrive, the merged one is in order with each event once", () => {
  const all = Array.from({ length: 30 }, () => sample("message:received"));
  fc.assert(
    fc.property(fc.array(fc.shuffledSubarray(all), { maxLength: 4 }), (lists) => {
      const merged = mergeEvents([], ...lists);
      const wanted = all.filter((event) => lists.some((list) => list.includes(event)));
      expect(merged).toEqual(wanted);
    }),
  );
});

test("a list that gains nothing is the same list", () => {
  const list = [sample("devis:signed"), sample("devis:created")];
  expect(mergeEvents(list, [...list])).toBe(list);
});

test("a quote's history holds its invoice and the payment, and nothing of others", () => {
  const created = sample("devis:created", { devisId: "d" });
  const signed = sample("devis:signed", { devisId: "d" });
  const bill = sample("facture:created", { factureId: "f", devisId: "d" });
  const paid = sample("facture:paid", { factureId: "f" });
  const others = [
    sample("devis:signed", { devisId: "x" }),
    sample("facture:created", { factureId: "y", devisId: "x" }),
    sample("facture:paid", { factureId: "y" }),
    sample("message:received"),
  ];
  const events = [created, signed, ...others, bill, paid];
  const expected = [created, signed, bill, paid];
  expect(historyOf(events, { noun: "devis", id: "d" })).toEqual(expected);
  expect(historyOf(events, { noun: "facture", id: "f" })).toEqual(expected);
});

test("an invoice without a quote does not draw in other invoices without one", () => {
  const bill = sample("facture:created", { factureId: "f", devisId: null });
  const other = sample("facture:created", { factureId: "g", devisId: null });
  expect(historyOf([bill, other], { noun: "facture", id: "f" })).toEqual([bill]);
});

test("a customer's history is everything with their name on it", () => {
  const mine = [sample("client:created", { clientId: "c" }), sample("devis:created", { clientId: "c" })];
  const events = [...mine, sample("message:received", { clientId: "x" })];
  expect(historyOf(events, { noun: "client", id: "c" })).toEqual(mine);
});

test("the status is the furthest that the events say", () => {
  const created = sample("devis:created", { devisId: "d" });
  const signed = sample("devis:signed", { devisId: "d" });
  const subject = subjectOf(created);
  expect(statusOf(ownEvents([created], subject))).toBe("pending");
  expect(statusOf(ownEvents([created, signed], subject))).toBe("signed");
  expect(statusOf(ownEvents([signed], subject))).toBe("signed");
});

test("what came last decides", () => {
  const [signed, rejected] = [sample("devis:signed"), sample("devis:rejected")];
  expect(statusOf([signed, rejected])).toBe("rejected");
  expect(statusOf([rejected, signed])).toBe("signed");
  expect(statusOf([signed, sample("client:created")])).toBe("signed");
  expect(statusOf([sample("client:created")])).toBeUndefined();
});

test("a subject survives the address, whatever its id", () => {
  fc.assert(
    fc.property(fc.constantFrom(...NOUNS), fc.string({ minLength: 1, unit: "grapheme" }), (noun, id) => {
      expect(fromHash(toHash({ noun, id }))).toEqual({ noun, id });
    }),
  );
  for (const hash of ["", "#", "#main", "#devis", "#devis/", "#stock/1", "#devis/%"]) {
    expect(fromHash(hash)).toBeUndefined();
  }
});
