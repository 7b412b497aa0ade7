import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareCursors, follows, parseCursor } from "./cursor";
import { compareStanding, judge } from "./gate";
import type { EventFrame } from "./protocol";
import { Stream } from "./stream";

const number = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const place = fc.tuple(number, number);
const text = ([epoch, seq]: readonly [bigint, bigint]): string => `${epoch}-${seq}`;

function event(id: string): EventFrame {
  return { frame: "event", id, type: "message:received", companyId: "acme", time: "", data: {} };
}

describe("cursors", () => {
  it("are two numbers of 64 bits", () => {
    expect(parseCursor("1763800000000-43")).toEqual({ epoch: "1763800000000", seq: "43" });
    expect(parseCursor("007-010")).toEqual({ epoch: "7", seq: "10" });
    for (const wrong of ["", "1", "-", "1-", "-1", "1-2-3", "a-1", "1- 2", "1-2\n", "-1-2"]) {
      expect(parseCursor(wrong), JSON.stringify(wrong)).toBeUndefined();
    }
  });

  it("are ordered as numbers, past 2^53", () => {
    fc.assert(
      fc.property(place, place, (a, b) => {
        const [left, right] = [parseCursor(text(a)), parseCursor(text(b))];
        if (!left || !right) throw new Error("no cursor");
        const expected = a[0] === b[0] ? a[1] - b[1] : a[0] - b[0];
        const order = expected === 0n ? 0 : expected < 0n ? -1 : 1;
        expect(Math.sign(compareCursors(left, right))).toBe(order);
        expect(follows(right, left)).toBe(a[1] === 0n ? b[1] === 1n : a[0] === b[0] && b[1] === a[1] + 1n);
      }),
    );
  });
});

describe("the gate", () => {
  it.each([
    ["1-4", "1-5", "next"],
    ["1-5", "1-5", "old"],
    ["1-9", "1-5", "old"],
    ["1-9", "1-10", "next"],
    ["1-4", "1-6", "hole"],
    ["1-4", "2-1", "epoch"],
    ["1-4", "2-5", "epoch"],
    ["2-4", "1-5", "old"],
    // The log was empty: its first event has the log's epoch, whatever the place said.
    ["5-0", "7-1", "next"],
    ["5-0", "3-1", "next"],
    ["0-0", "3-2", "hole"],
    [undefined, "1-1", "hole"],
    ["9007199254740993-9007199254740993", "9007199254740993-9007199254740994", "next"],
    ["9007199254740993-9007199254740993", "9007199254740992-9007199254740994", "old"],
  ] as const)("at %s, %s is %s", (at, id, verdict) => {
    expect(judge(at, id)).toBe(verdict);
  });

  it("lets a filtered token's holes pass, and no other", () => {
    expect(judge("1-4", "1-9", true)).toBe("next");
    expect(judge("0-0", "1-9", true)).toBe("next");
    expect(judge("1-4", "1-4", true)).toBe("old");
    expect(judge("1-4", "2-9", true)).toBe("epoch");
  });

  it.each([
    ["1-4", "1-4", "there"],
    ["1-4", "1-3", "there"],
    ["1-4", "1-6", "behind"],
    ["1-4", "2-0", "behind"],
    ["5-0", "7-0", "adopt"],
    ["7-0", "5-3", "behind"],
    [undefined, "1-1", "behind"],
  ] as const)("at %s, another's place %s says: %s", (at, other, standing) => {
    expect(compareStanding(at, other)).toBe(standing);
  });
});

describe("a stream", () => {
  it("loses nothing and repeats nothing, whatever overlaps", () => {
    // Sources that each run in order from some place that was reached: what connections do.
    const sources = fc.array(fc.tuple(fc.nat(30), fc.nat(10)), { maxLength: 30 });
    fc.assert(
      fc.property(sources, (runs) => {
        const stream = new Stream();
        stream.stand("1-0", "hole");
        const seen: string[] = [];
        let reached = 0;
        for (const [from, length] of runs) {
          const start = Math.min(from, reached);
          for (let seq = start + 1; seq <= start + length; seq += 1) {
            for (const outcome of stream.event(event(`1-${seq}`), false)) {
              if (outcome.kind === "refetch") throw new Error(outcome.reason);
              seen.push(outcome.event.id);
            }
            reached = Math.max(reached, seq);
          }
        }
        expect(seen).toEqual(Array.from({ length: reached }, (_, index) => `1-${index + 1}`));
      }),
    );
  });

  it("says of every event that it has not seen that something is missing", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 40 })), (shuffled) => {
        const stream = new Stream();
        stream.stand("1-0", "hole");
        const applied = new Set<number>();
        let refetches = 0;
        for (const seq of shuffled) {
          for (const outcome of stream.event(event(`1-${seq}`), false)) {
            if (outcome.kind === "refetch") refetches += 1;
            else applied.add(seq);
          }
        }
        const highest = Math.max(0, ...shuffled);
        const complete = applied.size === highest;
        expect(complete || refetches > 0).toBe(true);
        expect(stream.place).toBe(`1-${highest}`);
      }),
    );
  });

  it("follows a resync back: the log's tail was lost, and its numbers come again", () => {
    const stream = new Stream();
    stream.stand("1-50", "hole");
    expect(stream.take({ frame: "resync", lastEventId: "1-48" }, true)).toMatchObject([{ reason: "resync" }]);
    expect(stream.event(event("1-49"), false)).toMatchObject([{ kind: "event" }]);
  });

  it("is not moved by a welcome that stands where it stood when it asked", () => {
    const stream = new Stream();
    stream.stand("1-50", "hole");
    const welcome = { frame: "welcome", heartbeatMs: 1, tokenExpiresAt: "" } as const;
    expect(stream.take({ ...welcome, resume: "recovered", lastEventId: "1-40" }, true)).toEqual([]);
    expect(stream.place).toBe("1-50");
    expect(stream.take({ ...welcome, resume: "lost", lastEventId: "2-3" }, true)).toMatchObject([
      { reason: "lost" },
    ]);
    expect(stream.place).toBe("2-3");
  });
});
