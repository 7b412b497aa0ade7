import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer, FEW, TOGETHER_MS } from "./announcer";
import { sample } from "./samples";

const one = vi.fn();
const many = vi.fn();
let announcer: Announcer;

beforeEach(() => {
  vi.useFakeTimers();
  announcer = new Announcer({ one, many });
});
afterEach(() => {
  vi.useRealTimers();
  vi.clearAllMocks();
});

const missed = (count: number) => {
  for (let i = 0; i < count; i++) {
    announcer.hear(sample("devis:signed"), { announce: true, recovered: true });
  }
};

test("what happens now is announced at once", () => {
  announcer.hear(sample("devis:signed"), { announce: true, recovered: false });
  expect(one).toHaveBeenCalledTimes(1);
});

test("another tab's events are not announced here", () => {
  announcer.hear(sample("devis:signed"), { announce: false, recovered: false });
  announcer.hear(sample("devis:signed"), { announce: false, recovered: true });
  vi.runAllTimers();
  expect(one).not.toHaveBeenCalled();
  expect(many).not.toHaveBeenCalled();
});

test("a few missed ones are announced one by one", () => {
  missed(FEW);
  vi.advanceTimersByTime(TOGETHER_MS);
  expect(one).toHaveBeenCalledTimes(FEW);
  expect(many).not.toHaveBeenCalled();
});

test("many missed ones are one announcement", () => {
  missed(12);
  vi.advanceTimersByTime(TOGETHER_MS);
  expect(one).not.toHaveBeenCalled();
  expect(many).toHaveBeenCalledExactlyOnceWith(12);
});
