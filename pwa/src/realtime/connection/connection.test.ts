import { describe, expect, it } from "vitest";
import type { ServerFrame } from "../protocol";
import { TIMING } from "../timing";
import { nextDeadline } from ".";
import { EXPIRES, kinds, World } from "./testing";

describe("connecting", () => {
  it("opens a WebSocket, and is live when it is welcomed", () => {
    const world = new World();
    expect(world.view).toEqual({ kind: "idle" });
    expect(world.input({ kind: "start" })).toEqual([{ kind: "open", link: 1, transport: "websocket" }]);
    expect(world.view).toEqual({ kind: "connecting" });
    expect(kinds(world.welcome())).toEqual(["ping", "apply"]);
    expect(world.view).toEqual({ kind: "live", transport: "websocket" });
  });

  it("calls missed what comes before the answer to the first ping, and no later", () => {
    const world = new World();
    world.input({ kind: "start" });
    world.welcome();
    const event: ServerFrame = { frame: "event", id: "1-1", type: "a:b", companyId: "c", time: "", data: {} };
    expect(world.frame(event)).toEqual([{ kind: "apply", frame: event, recovered: true }]);
    world.frame({ frame: "pong" });
    expect(world.frame(event)).toEqual([{ kind: "apply", frame: event, recovered: false }]);
  });

  it("says that events come late while the gateway says so", () => {
    const world = new World().live();
    world.frame({ frame: "status", delivery: "degraded" });
    expect(world.view).toEqual({ kind: "degraded", transport: "websocket" });
    world.frame({ frame: "status", delivery: "live" });
    expect(world.view.kind).toBe("live");
  });

  it("ignores frames and ends of links that are gone", () => {
    const world = new World().live();
    expect(world.frame({ frame: "resync", lastEventId: "1-1" }, 99)).toEqual([]);
    expect(world.closed(4403, undefined, 99)).toEqual([]);
    expect(world.view.kind).toBe("live");
  });
});

describe("reconnecting", () => {
  it("waits by full jitter up to 30 s, and starts over only after a connection has lived", () => {
    const world = new World().live();
    world.random = 1;
    world.liveFor(TIMING.lived);
    const delays: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      world.closed(1012);
      const state = world.view;
      if (state.kind !== "reconnecting") throw new Error(state.kind);
      expect(state.attempt).toBe(round + 1);
      delays.push(state.at - world.now);
      world.pass(state.at - world.now);
      world.welcome();
      world.frame({ frame: "pong" });
    }
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    world.liveFor(TIMING.lived);
    world.closed(1012);
    expect(world.view).toMatchObject({ attempt: 1, at: world.now + 500 });
  });

  it.each([1008, 1013, 4429])("leaves the gateway room after %i", (code) => {
    const world = new World().live();
    world.closed(code);
    expect(world.machine.retryAt).toBeGreaterThanOrEqual(world.now + TIMING.polite);
  });

  it("obeys Retry-After", () => {
    const world = new World();
    world.input({ kind: "start" });
    expect(kinds(world.closed(1006))).toEqual(["ask"]);
    world.input({ kind: "asked", status: 503, retryAfter: 20_000 });
    expect(world.machine.retryAt).toBeGreaterThanOrEqual(world.now + 20_000);
    expect(world.machine.level).toBe(0);
  });

  it.each([1000, 1001, 1012, 4408])(
    "comes back after %i without holding it against the transport",
    (code) => {
      const world = new World().live();
      for (let round = 0; round < 5; round += 1) {
        world.closed(code);
        world.input({ kind: "retry" });
        world.welcome();
      }
      expect(world.machine.level).toBe(0);
    },
  );

  it("connects at once when the person, or the page, asks for it", () => {
    const world = new World().live();
    world.closed(4429);
    expect(kinds(world.input({ kind: "retry" }))).toEqual(["open"]);
    world.closed(4429);
    world.input({ kind: "wake" });
    expect(world.machine.retryAt).toBeLessThanOrEqual(world.now + TIMING.spread);
    world.input({ kind: "online" });
    expect(world.machine.retryAt).toBeLessThanOrEqual(world.now + TIMING.spread);
  });
});

describe("tokens", () => {
  it("renews in place at about 80 % of the token's life", () => {
    const world = new World().live();
    world.liveFor(EXPIRES * 0.7);
    expect(kinds(world.effects)).not.toContain("renew");
    world.liveFor(EXPIRES * 0.16);
    expect(kinds(world.effects)).toContain("renew");
    expect(world.input({ kind: "renewed", expiresAt: world.now + EXPIRES })).toEqual([
      { kind: "auth", link: 1 },
    ]);
    expect(world.machine.renewAt).toBe(world.now + EXPIRES * 0.8);
    world.input({ kind: "renew-failed" });
    expect(world.machine.renewAt).toBe(world.now + TIMING.renewRetry);
  });

  it("takes a fresh token once after 4401, then is signed out", () => {
    const world = new World().live();
    expect(kinds(world.closed(4401))).toEqual(["forget-token", "open"]);
    world.closed(4401);
    expect(world.view).toEqual({ kind: "signed-out", reason: "expired" });
  });

  it("learns of a refused token by asking", () => {
    const world = new World();
    world.input({ kind: "start" });
    world.closed(1006);
    expect(kinds(world.input({ kind: "asked", status: 401 }))).toEqual(["forget-token", "open"]);
    world.closed(1006);
    world.input({ kind: "asked", status: 401 });
    expect(world.view).toEqual({ kind: "signed-out", reason: "expired" });
  });

  it("is signed out when there is no token, and stops when it is revoked", () => {
    const world = new World().live();
    world.input({ kind: "refused", reason: "expired" });
    expect(world.view).toEqual({ kind: "signed-out", reason: "expired" });
    const other = new World().live();
    expect(other.closed(4403)).toEqual([{ kind: "close", link: 1 }]);
    expect(other.view).toEqual({ kind: "signed-out", reason: "revoked" });
    expect(other.input({ kind: "retry" })).toEqual([]);
    expect(nextDeadline(other.machine, TIMING)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a dead link", () => {
  it("is found by the clock", () => {
    const world = new World().live();
    world.pass(25_000 + TIMING.heartbeatGrace - 1);
    expect(world.view.kind).toBe("live");
    world.pass(1);
    expect(world.view.kind).toBe("reconnecting");
  });

  it("is found after sleep, by the first tick", () => {
    const world = new World().live();
    world.sleep(8 * 3_600_000);
    expect(world.view.kind).toBe("reconnecting");
    expect(world.machine.retryAt).toBeLessThanOrEqual(world.now + 500);
  });

  it("is found within the ping's deadline when the page comes back (iOS)", () => {
    const world = new World().live();
    world.liveFor(20_000);
    expect(kinds(world.input({ kind: "wake" }))).toEqual(["ping"]);
    world.pass(TIMING.ping);
    expect(world.view.kind).toBe("reconnecting");
  });

  it("is not offline while it answers", () => {
    const world = new World().live();
    world.input({ kind: "offline" });
    world.frame({ frame: "pong" });
    world.pass(TIMING.ping);
    expect(world.view.kind).toBe("live");
    world.input({ kind: "offline" });
    world.pass(TIMING.ping);
    expect(world.view.kind).toBe("offline");
    world.input({ kind: "online" });
    world.pass(TIMING.spread);
    world.welcome();
    expect(world.view.kind).toBe("live");
  });
});

describe("the page", () => {
  it("closes everything when it goes into the cache, and reopens when it comes out", () => {
    const world = new World().live();
    expect(world.input({ kind: "suspend" })).toEqual([{ kind: "close", link: 1 }]);
    expect(nextDeadline(world.machine, TIMING)).toBe(Number.POSITIVE_INFINITY);
    expect(kinds(world.input({ kind: "start" }))).toEqual(["open"]);
  });
});
