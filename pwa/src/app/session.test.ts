import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SessionStore } from "./session";

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;
const part = (value: object) => btoa(JSON.stringify(value)).replace(/\+/g, "-").replace(/\//g, "_");
const token = (claims: object = {}) =>
  `${part({ alg: "none" })}.${part({ sub: "u1", companyId: "acme", exp: inAnHour(), ...claims })}.x`;

const enter = vi.fn(async () => {});
const leave = vi.fn(async () => {});
let answers: Record<string, () => Response | Promise<Response>>;
let session: SessionStore;

beforeEach(() => {
  localStorage.clear();
  session = new SessionStore();
  answers = {};
  vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
    const answer = answers[`${init?.method ?? "GET"} ${path}`];
    if (!answer) throw new TypeError("network");
    return answer();
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

const gives = (claims?: object) => () => new Response(JSON.stringify({ token: token(claims) }));
const start = () => session.start({ enter, leave });
const kind = () => session.getSnapshot().kind;

test("a token says who is signed in", async () => {
  answers["GET /auth/token"] = gives({ companyId: "plomberie-morel" });
  await start();
  expect(session.getSnapshot()).toEqual({
    kind: "signed-in",
    identity: { userId: "u1", companyId: "plomberie-morel", companyName: "Plomberie morel" },
  });
  expect(enter).toHaveBeenCalledOnce();
});

test("401 means signed out; no answer means that it is not known", async () => {
  await start();
  expect(kind()).toBe("unreachable");
  answers["GET /auth/token"] = () => new Response(null, { status: 401 });
  await session.resume();
  expect(kind()).toBe("signed-out");
});

test("who was here opens the page without a network", async () => {
  answers["GET /auth/token"] = gives();
  await start();
  answers = {};
  session = new SessionStore();
  await start();
  expect(kind()).toBe("signed-in");
  await expect(session.getToken()).rejects.toThrow();
  expect(kind()).toBe("signed-in");
});

test("another person's token makes it another person's page", async () => {
  answers["GET /auth/token"] = gives();
  await start();
  answers["GET /auth/token"] = gives({ sub: "u2" });
  await session.getToken();
  expect(leave).toHaveBeenCalledOnce();
  expect(enter).toHaveBeenLastCalledWith(expect.objectContaining({ userId: "u2" }));
});

test("signing out without a network holds, and the server is told at the next start", async () => {
  answers["GET /auth/token"] = gives();
  await start();
  expect(await session.signOut()).toBe(false);
  expect(session.getSnapshot()).toEqual({ kind: "signed-out", reason: "signed-out" });
  expect(leave).toHaveBeenCalledExactlyOnceWith(expect.anything(), true);

  session = new SessionStore();
  await start();
  expect(kind()).toBe("signed-out");

  const told = vi.fn(() => new Response(null, { status: 204 }));
  answers["DELETE /auth/session"] = told;
  answers["GET /auth/token"] = () => new Response(null, { status: 401 });
  session = new SessionStore();
  await start();
  expect(told).toHaveBeenCalledOnce();
  expect(kind()).toBe("signed-out");
});

test("signing in asks for a session, then for a token", async () => {
  answers["GET /auth/token"] = () => new Response(null, { status: 401 });
  await start();
  answers["POST /auth/session"] = () => new Response("{}");
  answers["GET /auth/token"] = gives();
  expect(await session.signIn()).toBe("ok");
  expect(kind()).toBe("signed-in");
});

test("a fetch uses the token that is kept, and a new one when that is refused", async () => {
  const asked = vi.fn(gives());
  answers["GET /auth/token"] = asked;
  await start();
  answers["GET /v1/events"] = () => new Response("{}");
  await session.fetch("/v1/events", {});
  expect(asked).toHaveBeenCalledTimes(1);
  answers["GET /v1/events"] = vi
    .fn()
    .mockReturnValueOnce(new Response(null, { status: 401 }))
    .mockReturnValue(new Response("{}"));
  expect((await session.fetch("/v1/events", {})).status).toBe(200);
  expect(asked).toHaveBeenCalledTimes(2);
});

/** A promise, and what fulfils it. */
function later<T>(): { readonly promise: Promise<T>; settle(value: T): void } {
  let settle: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

test("signing out while somebody is still coming in is not undone", async () => {
  const coming = later<void>();
  enter.mockImplementationOnce(() => coming.promise);
  answers["GET /auth/token"] = gives();
  const starting = start();
  await vi.waitFor(() => expect(enter).toHaveBeenCalled());
  const ending = session.end("signed-out");
  coming.settle();
  await Promise.all([starting, ending]);
  expect(kind()).toBe("signed-out");
  expect(leave.mock.invocationCallOrder[0]).toBeGreaterThan(enter.mock.invocationCallOrder[0] ?? 0);
  expect(localStorage.getItem("identity")).toBeNull();
});

test("a token that was on its way when the person signed out elsewhere signs nobody in", async () => {
  answers["GET /auth/token"] = gives();
  await start();
  const answer = later<Response>();
  answers["GET /auth/token"] = () => answer.promise;
  const asking = session.getToken();
  await session.end("signed-out");
  answer.settle(gives()());
  expect(await asking).toBeNull();
  expect(kind()).toBe("signed-out");

  answers["POST /auth/session"] = () => new Response("{}");
  answers["GET /auth/token"] = gives();
  expect(await session.signIn()).toBe("ok");
});

test("a host that does not answer is out of reach, not waited for", async () => {
  vi.useFakeTimers();
  try {
    localStorage.setItem("signing-out", "1");
    answers["DELETE /auth/session"] = () => new Promise<Response>(() => {});
    void start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kind()).toBe("signed-out");

    localStorage.clear();
    session = new SessionStore();
    answers["GET /auth/token"] = () => new Promise<Response>(() => {});
    void start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kind()).toBe("unreachable");
    answers["GET /auth/token"] = gives();
    await session.resume();
    expect(kind()).toBe("signed-in");
  } finally {
    vi.useRealTimers();
  }
});

test("a page that comes out of the cache shows nobody who has signed out meanwhile", async () => {
  answers["GET /auth/token"] = gives();
  await start();
  const stop = session.watch();
  const comeBack = (persisted: boolean) =>
    window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));
  comeBack(true);
  expect(kind()).toBe("signed-in");

  // The storage tells a page in the cache nothing.
  localStorage.removeItem("identity");
  comeBack(true);
  await vi.waitFor(() => expect(kind()).toBe("signed-out"));
  stop();
});
