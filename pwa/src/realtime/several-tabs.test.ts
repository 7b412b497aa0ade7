import { describe, expect, it } from "vitest";
import { settle } from "./testing/clock";
import { type Visit, World } from "./testing/world";

describe("several tabs", () => {
  async function three(world: World): Promise<[Visit, Visit, Visit]> {
    const visits: [Visit, Visit, Visit] = [world.visit(), world.visit(), world.visit()];
    await world.clock.advance(1_500);
    return visits;
  }

  it("share one connection, one sequence and one toast", async () => {
    const world = new World();
    const visits = await three(world);
    expect(world.gateway.connections.size).toBe(1);
    await world.publish(3);
    for (const { client, ids, refetches } of visits) {
      expect(ids).toEqual(world.ids());
      expect(refetches).toEqual(["fresh"]);
      expect(client.getState().kind).toBe("live");
    }
    for (const index of [0, 1, 2]) {
      expect(visits.filter(({ deliveries }) => deliveries[index]?.announce)).toHaveLength(1);
    }
  });

  it("tell the person in the tab that became visible last", async () => {
    const world = new World();
    const [a, b, c] = await three(world);
    b.tab.signal("hidden");
    c.tab.signal("hidden");
    await world.clock.advance(200);
    b.tab.signal("visible");
    await settle();
    await world.publish();
    expect([a, b, c].map(({ deliveries }) => deliveries.at(-1)?.announce)).toEqual([false, true, false]);
  });

  it("go on without a leader that closed or crashed", async () => {
    const world = new World();
    const [a, b, c] = await three(world);
    await world.publish();
    world.browser.remove(a.tab);
    world.gateway.connections.clear();
    await world.publish();
    await world.clock.advance(200);
    await world.publish();
    expect(b.ids).toEqual(world.ids());
    expect(c.ids).toEqual(world.ids());
    expect(world.gateway.connections.size).toBe(1);
  });

  it("replace a frozen leader within 3 s; woken up, it delivers nothing that it did not hear from the new one", async () => {
    const world = new World();
    const [a, b, c] = await three(world);
    expect(world.browser.leader).toBe(a.tab);
    a.tab.freeze();
    await world.publish(2);
    await world.clock.advance(3_000);
    expect(world.browser.leader).not.toBe(a.tab);
    expect(b.ids).toEqual(world.ids());
    expect(c.ids).toEqual(world.ids());
    await world.publish(2);
    a.tab.thaw();
    await world.clock.advance(1_500);
    await world.publish();
    for (const { ids, refetches } of [a, b, c]) {
      expect(ids).toEqual(world.ids());
      expect(refetches).toEqual(["fresh"]);
    }
    expect(world.gateway.connections.size).toBe(1);
    for (const [index] of world.gateway.log.entries()) {
      expect([a, b, c].filter(({ deliveries }) => deliveries[index]?.announce)).toHaveLength(1);
    }
  });

  it("let a visible tab lead when the leader has been hidden for a while", async () => {
    const world = new World();
    const [a, b] = await three(world);
    a.tab.signal("hidden");
    await world.clock.advance(5_000);
    expect(world.browser.leader).toBe(a.tab);
    await world.clock.advance(8_000);
    expect(world.browser.leader).not.toBe(a.tab);
    await world.publish(2);
    expect(a.ids).toEqual(world.ids());
    expect(b.ids).toEqual(world.ids());
  });

  it("prefer a visible tab when leadership falls free", async () => {
    const world = new World();
    const a = world.visit();
    await world.clock.advance(100);
    world.visit({ visible: false });
    await world.clock.advance(1_000);
    const c = world.visit();
    await world.clock.advance(1_000);
    world.browser.remove(a.tab);
    await world.clock.advance(100);
    expect(world.browser.leader).toBe(c.tab);
  });

  it("pass retry on to the leader", async () => {
    const world = new World();
    const [, b] = await three(world);
    world.gateway.up = false;
    world.gateway.cut(4429);
    await world.clock.advance(10);
    world.gateway.up = true;
    expect(b.client.getState().kind).toBe("reconnecting");
    b.client.retry();
    await world.clock.advance(10);
    expect(b.client.getState().kind).toBe("live");
  });

  it("sign out together, and forget the cursor", async () => {
    const world = new World();
    const visits = await three(world);
    await world.publish();
    expect(world.browser.store.size).toBe(1);
    await visits[1].client.signOut();
    await settle();
    for (const { client } of visits) {
      expect(client.getState()).toEqual({ kind: "signed-out", reason: "signed-out" });
    }
    expect(world.browser.store.size).toBe(0);
    expect(world.gateway.connections.size).toBe(0);
  });

  it("connect each for itself without locks, and are correct", async () => {
    const world = new World();
    const visits = [world.visit({ alone: true }), world.visit({ alone: true })];
    await world.clock.advance(100);
    await world.publish(2);
    expect(world.gateway.connections.size).toBe(2);
    for (const { ids } of visits) expect(ids).toEqual(world.ids());
  });
});
