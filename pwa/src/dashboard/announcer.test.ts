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

test("what happens while nobody looks is told when somebody does, and not kept one by one", () => {
  const look = (visible: boolean) => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue(visible ? "visible" : "hidden");
    document.dispatchEvent(new Event("visibilitychange"));
  };
  try {
    look(false);
    for (let i = 0; i < 500; i++) {
      announcer.hear(sample("devis:signed"), { announce: true, recovered: i % 2 === 0 });
    }
    vi.advanceTimersByTime(3_600_000);
    expect([one.mock.calls.length, many.mock.calls.length]).toEqual([0, 0]);
    look(true);
    vi.advanceTimersByTime(TOGETHER_MS);
    expect(one).not.toHaveBeenCalled();
    expect(many).toHaveBeenCalledExactlyOnceWith(500);

    announcer.stop();
    look(false);
    announcer.hear(sample("devis:signed"), { announce: true, recovered: false });
    look(true);
    vi.runAllTimers();
    expect([one.mock.calls.length, many.mock.calls.length]).toEqual([0, 1]);
  } finally {
    vi.restoreAllMocks();
  }
});
