import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { eventParser } from "./event-stream";
import { OPENERS } from "./index";
import { EVENT, type Heard, opening } from "./testing";

const wait = () => new Promise((resolve) => setTimeout(resolve, 20));

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
    [401, "application/problem+json", 4401],
    [403, "application/problem+json; charset=utf-8", 4403],
    [429, "application/problem+json", 4429],
    [503, "application/problem+json", 1013],
    [503, "text/html", 1013],
    [502, "text/html", 1006],
    // A proxy's or a hotel's page: nobody is signed out by those.
    [401, "text/html", 1006],
    [403, "text/html", 1006],
    [403, "application/json", 1006],
  ])("calls a refusal with %i as %s what a WebSocket would: %i", async (status, type, code) => {
    const heard: Heard = { frames: [], closed: [] };
    const headers = { "Content-Type": type, "Retry-After": "5" };
    vi.stubGlobal("fetch", async () => new Response("", { status, headers }));
    OPENERS.sse(opening(heard));
    await wait();
    expect(heard.closed).toEqual([[code, 5_000]]);
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
