import { describe, expect, it } from "vitest";
import type { ServerFrame } from "../protocol";
import { TIMING } from "../timing";
import { type Effect, type Input, newMachine, nextDeadline, step, view } from ".";

const EXPIRES = 3_600_000;

/** A machine with a clock of its own. */
class World {
  machine = newMachine();
  now = 1_000;
  effects: Effect[] = [];
  random = 0.5;

  input(input: Input): Effect[] {
    const taken = step(this.machine, input, { now: this.now, random: () => this.random, timing: TIMING });
    this.machine = taken.machine;
    this.effects.push(...taken.effects);
    return [...taken.effects];
  }

  /** Lets time pass, with a tick at every deadline. */
  pass(span: number): void {
    const end = this.now + span;
    for (let at = nextDeadline(this.machine, TIMING); at <= end; at = nextDeadline(this.machine, TIMING)) {
      this.now = Math.max(at, this.now);
      this.input({ kind: "tick" });
    }
    this.now = end;
  }

  /** Lets time pass while the page is frozen: one tick at the end. */
  sleep(span: number): Effect[] {
    this.now += span;
    return this.input({ kind: "tick" });
  }

  /** The link that was opened last. */
  get last(): number {
    return this.machine.links;
  }

  frame(frame: ServerFrame, link = this.last): Effect[] {
    return this.input({ kind: "frame", link, frame });
  }

  welcome(link = this.last): Effect[] {
    const frame: ServerFrame = {
      frame: "welcome",
      resume: "recovered",
      lastEventId: "1-0",
      heartbeatMs: 25_000,
      tokenExpiresAt: new Date(this.now + EXPIRES).toISOString(),
    };
    return this.frame(frame, link);
  }

  live(): this {
    this.input({ kind: "start" });
    return this.answer();
  }

  /** The last link is welcomed and answers the ping. */
  answer(): this {
    this.welcome();
    this.frame({ frame: "pong" });
    return this;
  }

  /** Lets time pass until something is opened. */
  untilOpened(): void {
    for (const last = this.last; this.last === last; ) {
      this.now = Math.max(this.now, nextDeadline(this.machine, TIMING));
      this.input({ kind: "tick" });
    }
  }

  /** Lets time pass, with heartbeats, until a probe is under way; gives its link. */
  untilProbe(): number {
    while (!this.machine.spare) this.liveFor(Math.min(5_000, (this.machine.probeAt ?? 0) - this.now));
    return this.machine.spare.id;
  }

  /** Heartbeats for as long as that. */
  liveFor(span: number): void {
    for (const end = this.now + span; this.now < end; ) {
      this.pass(Math.min(5_000, end - this.now));
      this.frame({ frame: "heartbeat" }, this.machine.main?.id);
      if (this.machine.main?.pingedAt) this.frame({ frame: "pong" }, this.machine.main.id);
    }
  }

  closed(code: number, retryAfter?: number, link = this.machine.main?.id ?? 0): Effect[] {
    return this.input({ kind: "closed", link, code, retryAfter });
  }

  get view() {
    return view(this.machine);
  }
}

const kinds = (effects: readonly Effect[]): string[] => effects.map(({ kind }) => kind);

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

describe("make before break", () => {
  it("closes the old connection when the new one is welcomed", () => {
    const world = new World().live();
    world.frame({ frame: "reconnect", afterMs: 700 });
    world.pass(699);
    expect(world.last).toBe(1);
    world.pass(1);
    expect(world.last).toBe(2);
    expect(world.view.kind).toBe("live");
    expect(kinds(world.effects)).not.toContain("close");
    expect(world.welcome(2)).toContainEqual({ kind: "close", link: 1 });
    expect(world.machine.main?.id).toBe(2);
    expect(world.view.kind).toBe("live");
  });

  it("goes on with the old one when the new one fails, and tries again", () => {
    const world = new World().live();
    world.frame({ frame: "reconnect", afterMs: 0 });
    world.pass(0);
    world.closed(1006, undefined, 2);
    expect(world.view.kind).toBe("live");
    world.pass(1_000);
    expect(world.last).toBe(3);
  });

  it("waits for the new one when the old one ends first", () => {
    const world = new World().live();
    world.frame({ frame: "reconnect", afterMs: 0 });
    world.pass(0);
    world.closed(1012);
    expect(world.view.kind).toBe("reconnecting");
    expect(world.machine.main?.id).toBe(2);
    world.welcome(2);
    expect(world.view.kind).toBe("live");
  });
});

describe("falling back", () => {
  function blocked(world = new World()): World {
    world.input({ kind: "start" });
    for (const _ of [1, 2]) {
      world.closed(1006);
      world.input({ kind: "asked", status: 200 });
      if (world.machine.level === 0) world.untilOpened();
    }
    return world;
  }

  it("takes the event stream after two welcomes that did not come", () => {
    const world = blocked();
    expect(world.effects.at(-1)).toEqual({ kind: "open", link: 3, transport: "sse" });
    world.welcome();
    expect(world.view).toEqual({ kind: "live", transport: "sse" });
  });

  it("counts a WebSocket that opens and swallows", () => {
    const world = new World();
    world.input({ kind: "start" });
    world.pass(TIMING.welcome);
    expect(kinds(world.effects)).toEqual(["open", "close", "ask"]);
    world.input({ kind: "asked", status: 200 });
    expect(world.machine.misses).toBe(1);
  });

  it("does not hold it against the WebSocket that the gateway is down", () => {
    const world = new World();
    world.input({ kind: "start" });
    for (let round = 0; round < 9; round += 1) {
      world.closed(1006);
      world.input({ kind: "asked", status: 0 });
      world.untilOpened();
      expect(world.machine.level).toBe(0);
      expect(world.machine.main?.transport).toBe("websocket");
    }
  });

  it("takes it too after three connections that died young", () => {
    const world = new World().live();
    for (let round = 0; round < 3; round += 1) {
      expect(world.machine.level).toBe(0);
      world.liveFor(3_000);
      world.closed(1006);
      if (round < 2) {
        world.untilOpened();
        world.answer();
      }
    }
    expect(world.effects.at(-1)).toMatchObject({ kind: "open", transport: "sse" });
  });

  it("ends at polling, and stays there", () => {
    const world = blocked();
    for (const _ of [1, 2]) {
      world.pass(TIMING.welcome);
      world.input({ kind: "asked", status: 200 });
      if (world.machine.level === 1) world.untilOpened();
    }
    expect(world.machine.main?.transport).toBe("polling");
    for (let round = 0; round < 9; round += 1) {
      world.closed(1006);
      world.untilOpened();
      expect(world.machine.main?.transport).toBe("polling");
    }
  });

  it("probes the way up, and switches only when the probe has proven itself", () => {
    const world = blocked();
    world.welcome();
    const probe = world.untilProbe();
    expect(world.machine.spare).toMatchObject({ role: "probe", transport: "websocket" });
    expect(kinds(world.welcome(probe))).toContain("ping");
    world.liveFor(TIMING.lived);
    // Welcomed and old enough, but it has not answered: given up.
    expect(world.machine.spare).toBeUndefined();
    expect(world.view).toEqual({ kind: "live", transport: "sse" });

    const second = world.untilProbe();
    world.welcome(second);
    world.frame({ frame: "pong" }, second);
    world.liveFor(TIMING.lived - 1_000);
    expect(world.view).toEqual({ kind: "live", transport: "sse" });
    expect(world.effects.filter(({ kind }) => kind === "close")).not.toContainEqual({
      kind: "close",
      link: 3,
    });
    world.liveFor(1_000);
    expect(world.view).toEqual({ kind: "live", transport: "websocket" });
    expect(world.effects.at(-1)).toEqual({ kind: "close", link: 3 });
    expect(world.machine.level).toBe(0);
  });

  it("waits longer after each probe that failed, up to five minutes", () => {
    const world = blocked();
    world.welcome();
    const gaps: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const { probeAt = 0 } = world.machine;
      gaps.push(probeAt - world.now);
      world.closed(1006, undefined, world.untilProbe());
    }
    expect(gaps).toEqual([90_000, 180_000, 300_000, 300_000]);
  });

  it("takes a welcomed probe when the connection ends meanwhile", () => {
    const world = blocked();
    world.welcome();
    world.welcome(world.untilProbe());
    world.closed(1006);
    expect(world.view).toEqual({ kind: "live", transport: "websocket" });
  });

  it("replaces a doubted stream by a new one, and gives both up when that fails", () => {
    const world = blocked();
    world.welcome();
    world.pass(10_000);
    world.input({ kind: "wake" });
    world.pass(0);
    expect(world.machine.spare).toMatchObject({ role: "move", transport: "sse" });
    world.pass(TIMING.welcome);
    expect(world.view.kind).toBe("reconnecting");
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
