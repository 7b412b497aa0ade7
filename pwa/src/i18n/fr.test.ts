import { expect, test } from "vitest";
import { factsOf } from "../dashboard/facts";
import { sample } from "../dashboard/samples";
import { amountOf, detail, sentence, titleOf } from "../dashboard/sentence";
import { subjectOf } from "../dashboard/subject";
import { EVENT_TYPES } from "../realtime";
import { fr } from "./fr";

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

test("sentences say what happened, to whom and how much", () => {
  expect(plain(sentence(sample("devis:signed")))).toBe("Devis D-2026-041 signé par Mme Lefèvre, 4 820 €");
  expect(plain(sentence(sample("client:created")))).toBe("Nouveau client : Mme Lefèvre");
  expect(plain(detail(sample("message:received")))).toBe("« Bonjour, vous arrivez à quelle heure ? »");
  expect(plain(detail(sample("facture:created")))).toBe("À régler au plus tard le 22 décembre");
  expect(plain(detail(sample("intervention:completed")))).toBe("Recherche de fuite, Julien Morel, 1 h 35");
});

test("every type has its sentence", () => {
  for (const type of EVENT_TYPES) {
    expect(sentence(sample(type))).not.toMatch(/undefined|NaN/);
    expect(detail(sample(type))).not.toMatch(/undefined|NaN/);
  }
});

test("every type has its panel: its noun's title, and its amount if it has one", () => {
  for (const type of EVENT_TYPES) {
    const event = sample(type);
    const subject = subjectOf(event);
    const facts = factsOf([event], [event], subject).map(([label, value]) => `${label}: ${plain(value)}`);
    expect([titleOf(event, subject), ...facts].join()).not.toMatch(/undefined|NaN/);
    expect(titleOf(event, subject).startsWith("Message de")).toBe(subject.noun === "message");
    expect(facts.some((fact) => /^Montant: .*€$/.test(fact))).toBe("amountCents" in event.data);
  }
  const signed = sample("devis:signed");
  expect(titleOf(signed, subjectOf(signed))).toBe("Devis D-2026-041");
  expect(titleOf(signed, { noun: "client", id: signed.data.clientId })).toBe("Mme Lefèvre");
});

test("amounts have no-break spaces, and cents when there are any", () => {
  expect(fr.euros(482_000)).toBe("4\u202f820\u00a0€");
  expect(fr.euros(156_050)).toBe("1\u202f560,50\u00a0€");
  expect(fr.euros(amountOf(sample("message:received")) ?? Number.NaN)).toBe("–");
});

test("moments are in words", () => {
  const now = new Date("2026-12-01T19:12:00");
  expect(plain(fr.connection.asOf(new Date("2026-11-24T19:12:00")))).toBe("État au 24 novembre à 19 h 12");
  expect(fr.today(now)).toBe("mardi 1er décembre");
  expect(fr.relative(now, now)).toBe("à l’instant");
  expect(plain(fr.relative(new Date("2026-12-01T19:09:00"), now))).toBe("il y a 3 min");
  expect(plain(fr.relative(new Date("2026-12-01T08:05:00"), now))).toBe("à 8 h 05");
  expect(plain(fr.relative(new Date("2026-11-30T18:00:00"), now))).toBe("hier à 18 h 00");
  expect(plain(fr.relative(new Date("2026-11-22T10:00:00"), now))).toBe("le 22 novembre à 10 h 00");
});

test("what is no moment is not made up, and breaks nothing", () => {
  const never = new Date("soon");
  const now = new Date("2026-12-01T19:12:00");
  for (const say of [fr.time, fr.day, fr.today, fr.moment, fr.connection.asOf]) {
    expect(say(never)).not.toMatch(/NaN|Invalid/);
  }
  expect(fr.relative(never, now)).toBe("");
  expect(fr.event.detail["facture:created"](sample("facture:created", { dueOn: "soon" }).data)).not.toMatch(
    /NaN/,
  );
});
