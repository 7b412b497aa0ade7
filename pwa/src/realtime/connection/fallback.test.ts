import { describe, expect, it } from "vitest";
import type { ServerFrame } from "../protocol";
import { TIMING } from "../timing";
import { kinds, World } from "./testing";

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

describe("a connection that lived, then moved", () => {
  it("leaves no old refusal behind: the next one gets a fresh token", () => {
    const world = new World().live();
    expect(kinds(world.closed(4401))).toEqual(["forget-token", "open"]);
    world.answer();
    world.liveFor(TIMING.lived);
    world.frame({ frame: "reconnect", afterMs: 0 });
    world.pass(0);
    world.welcome(world.last);
    expect(kinds(world.closed(4401))).toEqual(["forget-token", "open"]);
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

  it("gives up a probe that tells of a loss: the connection that there is will say so itself", () => {
    const resync: ServerFrame = { frame: "resync", lastEventId: "2-0" };
    for (const isWelcomed of [false, true]) {
      const world = blocked();
      world.welcome();
      const probe = world.untilProbe();
      if (isWelcomed) world.welcome(probe);
      const effects = isWelcomed ? world.frame(resync, probe) : world.welcome(probe, "lost");
      expect(effects).toEqual([{ kind: "close", link: probe }]);
      expect(world.view).toEqual({ kind: "live", transport: "sse" });
      expect(kinds(world.frame(resync, world.machine.main?.id))).toEqual(["apply"]);
    }
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
