import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ServerFrame } from "../protocol";
import { eventParser } from "./event-stream";
import { OPENERS, type Opening } from "./index";

interface Heard {
  readonly frames: ServerFrame[];
  readonly closed: [number, number | undefined][];
}

function opening(heard: Heard, more: Partial<Opening> = {}): Opening {
  return {
    url: "http://gateway",
    token: "secret",
    getToken: async () => "secret",
    cursor: "1-4",
    poll: 25_000,
    frame: (frame) => void heard.frames.push(frame),
    closed: (code, retryAfter) => void heard.closed.push([code, retryAfter]),
    ...more,
  };
}

const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
const EVENT = { frame: "event", id: "1-5", type: "a:b", companyId: "c", time: "t", data: {} };

afterEach(() => vi.unstubAllGlobals());

it("takes a stream apart however it is cut", () => {
  const whole = 'retry: 5\n\nid: 1-1\nevent: event\ndata: {"a":1}\n\n: comment\n\ndata: x\ndata:y\r\n\r\n';
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
      const parse = eventParser();
      const found: string[] = [];
      for (let at = 0, index = 0; at < whole.length; index += 1) {
        const size = sizes[index % sizes.length] ?? 1;
        found.push(...parse(whole.slice(at, at + size)));
        at += size;
      }
      expect(found).toEqual(['{"a":1}', "x\ny"]);
    }),
  );
});

describe("event stream", () => {
  it("hands frames on, and names its end by the error frame before it", async () => {
    const heard: Heard = { frames: [], closed: [] };
    const text = `event: event\ndata: ${JSON.stringify(EVENT)}\n\ndata: {"frame":"error","code":"token_expired","message":""}\n\n`;
    const fetched = vi.fn(async (_url: URL, _init: RequestInit) => new Response(text));
    vi.stubGlobal("fetch", fetched);
    OPENERS.sse(opening(heard));
    await wait();
    expect(heard.frames[0]).toEqual(EVENT);
    expect(heard.closed).toEqual([[4401, undefined]]);
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(String(url)).toBe("http://gateway/v1/sse?lastEventId=1-4");
    expect(init?.headers).toEqual({ Authorization: "Bearer secret" });
  });

  it.each([
    [401, 4401],
    [403, 4403],
    [429, 4429],
    [503, 1013],
    [502, 1006],
  ])("calls a refusal with %i what a WebSocket would: %i", async (status, code) => {
    const heard: Heard = { frames: [], closed: [] };
    vi.stubGlobal("fetch", async () => new Response("", { status, headers: { "Retry-After": "5" } }));
    OPENERS.sse(opening(heard));
    await wait();
    expect(heard.closed).toEqual([[code, 5_000]]);
  });
});

describe("polling", () => {
  it("welcomes with the first answer, goes on from each, and keeps the token out of the address", async () => {
    const heard: Heard = { frames: [], closed: [] };
    const urls: string[] = [];
    const answers = [
      { resume: "recovered", events: [EVENT], lastEventId: "1-5" },
      { resume: "recovered", events: [], lastEventId: "1-7" },
      { resume: "lost", events: [], lastEventId: "2-1" },
    ];
    vi.stubGlobal("fetch", async (url: URL) => {
      urls.push(String(url));
      const answer = answers.shift();
      return answer ? Response.json(answer) : new Response("", { status: 401 });
    });
    OPENERS.polling(opening(heard));
    await wait();
    expect(urls).toEqual([
      "http://gateway/v1/poll?lastEventId=1-4&wait=0",
      "http://gateway/v1/poll?lastEventId=1-5&wait=25",
      "http://gateway/v1/poll?lastEventId=1-7&wait=25",
      "http://gateway/v1/poll?lastEventId=2-1&wait=25",
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
    expect(heard.closed).toEqual([[4401, undefined]]);
  });

  it("says nothing once it is closed", async () => {
    const heard: Heard = { frames: [], closed: [] };
    vi.stubGlobal("fetch", async () => Response.json({ resume: "fresh", events: [], lastEventId: "1-0" }));
    OPENERS.polling(opening(heard)).close();
    await wait();
    expect(heard).toEqual({ frames: [], closed: [] });
  });
});

it("the WebSocket brings its token as a subprotocol, and never calls back after close", () => {
  const made: { url: string; protocols: string[]; socket: FakeSocket }[] = [];
  class FakeSocket {
    static OPEN = 1;
    readyState = 0;
    onmessage: ((event: { data: unknown }) => void) | undefined;
    onclose: ((event: { code: number }) => void) | undefined;
    constructor(url: URL, protocols: string[]) {
      made.push({ url: String(url), protocols, socket: this });
    }
    send(): void {
      throw new Error("not open");
    }
    close(): void {}
  }
  vi.stubGlobal("WebSocket", FakeSocket);
  const heard: Heard = { frames: [], closed: [] };
  const wire = OPENERS.websocket(opening(heard, { url: "https://gateway" }));
  expect(made[0]).toMatchObject({
    url: "wss://gateway/v1/ws?lastEventId=1-4",
    protocols: ["realtime.v1", "bearer.secret"],
  });
  wire.send("too early");
  const socket = made[0]?.socket;
  socket?.onmessage?.({ data: '{"frame":"heartbeat"}' });
  socket?.onmessage?.({ data: "nonsense" });
  expect(heard.frames).toEqual([{ frame: "heartbeat" }]);
  wire.close();
  socket?.onmessage?.({ data: '{"frame":"heartbeat"}' });
  socket?.onclose?.({ code: 1006 });
  expect(heard).toMatchObject({ frames: [{ frame: "heartbeat" }], closed: [] });
});
