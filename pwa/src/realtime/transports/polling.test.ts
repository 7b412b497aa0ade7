import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ask, openPolling } from "./polling";
import { EVENT, type Heard, opening } from "./testing";

type Answer = { after?: number; resume?: string; events?: object[]; lastEventId?: string; delivery?: string };

let heard: Heard;
let urls: string[];
beforeEach(() => {
  vi.useFakeTimers();
  heard = { frames: [], closed: [] };
  urls = [];
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Polls a gateway that gives these answers, each after 25 s unless it says otherwise, then refuses the token. */
async function poll(answers: Answer[], cursor: string | null = "1-4"): Promise<void> {
  let first = true;
  vi.stubGlobal("fetch", async (url: URL) => {
    urls.push(`${url.pathname}${url.search}`);
    const { after = first ? 0 : 25_000, ...answer } = answers.shift() ?? { after: 0, resume: "refused" };
    first = false;
    await new Promise((resolve) => setTimeout(resolve, after));
    if (answer.resume === "refused") {
      return new Response("{}", { status: 401, headers: { "Content-Type": "application/problem+json" } });
    }
    return Response.json({ resume: "recovered", events: [], lastEventId: "1-4", ...answer });
  });
  openPolling(opening(heard, { cursor: cursor ?? undefined }));
  await vi.advanceTimersByTimeAsync(300_000);
  expect(heard.closed).toEqual([[4401, undefined]]);
}

const told = () => heard.frames.filter(({ frame }) => frame !== "pong");
const event = (id: string) => ({ ...EVENT, id });

it("welcomes with the first answer, goes on from each, and keeps the token out of the address", async () => {
  await poll([
    { events: [EVENT], lastEventId: "1-5" },
    { lastEventId: "1-7" },
    { resume: "lost", lastEventId: "2-1" },
  ]);
  expect(urls).toEqual([
    "/v1/poll?lastEventId=1-4&wait=0",
    "/v1/poll?lastEventId=1-5&wait=25",
    "/v1/poll?lastEventId=1-7&wait=25",
    "/v1/poll?lastEventId=2-1&wait=25",
  ]);
  expect(heard.frames.map(({ frame }) => frame)).toEqual([
    "welcome",
    "event",
    "pong",
    "pong",
    "resync",
    "pong",
  ]);
  expect(heard.frames[0]).toMatchObject({ resume: "recovered", lastEventId: "1-4" });
});

describe("an answer with a loss and what came after it", () => {
  const lost = { resume: "lost", events: [event("2-1"), event("2-2")], lastEventId: "2-2" };

  it("is a welcome to the place before the events", async () => {
    await poll([lost]);
    expect(told()).toMatchObject([
      { frame: "welcome", resume: "lost", lastEventId: "2-0" },
      { id: "2-1" },
      { id: "2-2" },
    ]);
  });

  it("is a resync to the place before the events", async () => {
    await poll([{}, lost]);
    expect(told().slice(1)).toMatchObject([
      { frame: "resync", lastEventId: "2-0" },
      { id: "2-1" },
      { id: "2-2" },
    ]);
  });
});

it("stands before the first event that a poll without a cursor brings", async () => {
  await poll([{ resume: "fresh", events: [event("1-9")], lastEventId: "1-9" }], null);
  expect(told()).toMatchObject([{ frame: "welcome", resume: "fresh", lastEventId: "1-8" }, { id: "1-9" }]);
});

it("does not ask on and on when it is answered at once with nothing", async () => {
  const at: number[] = [];
  const began = Date.now();
  await poll(
    Array.from({ length: 5 }, (_, index) => ({
      get after() {
        at.push(Date.now() - began);
        return 0;
      },
      resume: index === 3 ? "lost" : "recovered",
    })),
  );
  expect(at[1], "the first is to be answered at once").toBe(0);
  for (const [index, when] of at.slice(2).entries())
    expect(when - (at[index + 1] ?? 0)).toBeGreaterThanOrEqual(1_000);
});

it("says that events come late, asks more often then, and says when they do no more", async () => {
  await poll([{}, { delivery: "degraded" }, { delivery: "degraded", events: [EVENT] }, {}, {}]);
  expect(told().slice(1)).toEqual([
    { frame: "status", delivery: "degraded" },
    EVENT,
    { frame: "status", delivery: "live" },
  ]);
  expect(urls.map((url) => url.split("wait=")[1])).toEqual(["0", "25", "5", "5", "25", "25"]);
});

it("says nothing once it is closed", async () => {
  vi.stubGlobal("fetch", async () => Response.json({ resume: "fresh", events: [], lastEventId: "1-0" }));
  openPolling(opening(heard)).close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(heard).toEqual({ frames: [], closed: [] });
});

it.each([
  [200, "application/json", 200],
  [401, "application/problem+json", 401],
  [403, "application/problem+json", 403],
  [503, "text/html", 503],
  // The page of a hotel's network, a proxy's refusal.
  [200, "text/html", 0],
  [403, "text/html", 0],
])("asks why, and takes %i as %s for %i", async (status, type, taken) => {
  vi.stubGlobal("fetch", async () => new Response("{}", { status, headers: { "Content-Type": type } }));
  expect((await ask("http://gateway", "secret", 1_000)).status).toBe(taken);
});
