import fc from "fast-check";
import { expect, it } from "vitest";
import { parseMessage, type TabMessage } from "./messages";

const EVENT = { frame: "event", id: "1-5", type: "a:b", companyId: "c", time: "t", data: {} } as const;
const STATE = { kind: "live", transport: "sse" } as const;
const MESSAGES: TabMessage[] = [
  { kind: "beat", from: "a", term: 1, state: STATE, place: "1-4", filtered: false },
  { kind: "beat", from: "a", term: 1, state: { kind: "idle" }, place: undefined, filtered: true },
  { kind: "event", from: "a", term: 1, event: EVENT, recovered: false, announcer: "b" },
  { kind: "refetch", from: "a", term: 1, reason: "resync", place: "1-4" },
  { kind: "here", from: "a", visible: true, since: 5, turned: false },
  { kind: "bye", from: "a" },
  { kind: "retry", from: "a" },
  { kind: "sign-out", from: "a", reason: "expired" },
];

it.each(MESSAGES)("takes $kind as it is said", (message) => {
  expect(parseMessage(structuredClone(message))).toEqual(message);
});

it("takes none that lacks a member, or has a wrong one", () => {
  for (const message of MESSAGES) {
    for (const name of Object.keys(message)) {
      for (const wrong of [null, Number.NaN, "?", {}, []]) {
        if (["from", "announcer"].includes(name) && wrong === "?") continue;
        const altered = { ...message, [name]: wrong };
        expect(parseMessage(altered), `${message.kind}.${name} = ${JSON.stringify(wrong)}`).toBeUndefined();
      }
    }
  }
  expect(parseMessage({ ...MESSAGES[0], state: { kind: "asleep" } })).toBeUndefined();
});

it("takes nothing else", () => {
  for (const strange of [undefined, null, 1, "beat", [], { kind: "toString", from: "a" }, { kind: "bye" }]) {
    expect(parseMessage(strange)).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.object(), (strange) => {
      expect(parseMessage(strange)).toBeUndefined();
    }),
  );
});
