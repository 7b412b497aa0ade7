import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Delivery, RealtimeClient, Refetch } from "./api";
import { createRealtimeClient } from "./index";
import { FakeBrowser, FakeTab } from "./testing/browser";
import { FakeClock, settle } from "./testing/clock";
import { FakeGateway } from "./testing/gateway";

const TOKEN = `x.${btoa('{"exp":4000000000}')}.x`;

interface Visit {
  readonly tab: FakeTab;
  readonly client: RealtimeClient;
  readonly ids: string[];
  readonly deliveries: Delivery[];
  readonly refetches: Refetch[];
}

class World {
  readonly clock = new FakeClock();
  readonly gateway = new FakeGateway();
  readonly browser = new FakeBrowser(this.clock, this.gateway);
  token: () => Promise<string | null> = async () => TOKEN;
  #random = 1;

  visit(options: { readonly alone?: boolean; readonly visible?: boolean } = {}): Visit {
    const tab = new FakeTab(this.browser);
    tab.visible = options.visible ?? true;
    const environment = tab.environment(() => {
      this.#random = (this.#random * 16807) % 2147483647;
      return this.#random / 2147483647;
    });
    const client = createRealtimeClient({
      url: "http://gateway",
      userId: "u1",
      companyId: "acme",
      getToken: () => this.token(),
      ...environment,
      ...(options.alone ? { locks: undefined } : {}),
    });
    const visit: Visit = { tab, client, ids: [], deliveries: [], refetches: [] };
    client.on("*", (event, delivery) => {
      visit.ids.push(event.id);
      visit.deliveries.push(delivery);
    });
    client.onRefetch((reason) => visit.refetches.push(reason));
    client.start();
    return visit;
  }

  ids(from = 0): string[] {
    return this.gateway.log.slice(from).map(({ id }) => id);
  }

  async publish(count = 1): Promise<void> {
    for (let index = 0; index < count; index += 1) this.gateway.publish();
    await settle();
  }
}

describe("one tab", () => {
  it("says fresh once it knows its place, then hands events on", async () => {
    const world = new World();
    await world.publish(3);
    const { client, ids, refetches } = world.visit();
    await world.clock.advance(100);
    expect(client.getState()).toEqual({ kind: "live", transport: "websocket" });
    expect(refetches).toEqual(["fresh"]);
    await world.publish(2);
    expect(ids).toEqual(world.ids(3));
  });

  it("goes on from the cursor of the last visit, and says nothing of refetching", async () => {
    const world = new World();
    const first = world.visit();
    await world.clock.advance(100);
    await world.publish(2);
    world.browser.remove(first.tab);
    first.client.stop();
    await world.publish(2);
    const second = world.visit();
    await world.clock.advance(100);
    expect(second.ids).toEqual(world.ids(2));
    expect(second.deliveries.every(({ recovered }) => recovered)).toBe(true);
    expect(second.refetches).toEqual([]);
  });

  it("keeps one state object until it changes", async () => {
    const world = new World();
    const { client } = world.visit();
    await world.clock.advance(100);
    let changes = 0;
    client.subscribe(() => {
      changes += 1;
    });
    const state = client.getState();
    await world.publish(3);
    expect(client.getState()).toBe(state);
    expect(changes).toBe(0);
  });

  it("is signed out when there is no token", async () => {
    const world = new World();
    world.token = async () => null;
    const { client } = world.visit();
    await world.clock.advance(100);
    expect(client.getState()).toEqual({ kind: "signed-out", reason: "expired" });
  });

  it("tells lost and resync from each other", async () => {
    const world = new World();
    const { refetches, ids } = world.visit();
    await world.clock.advance(100);
    world.gateway.say({ frame: "resync", lastEventId: "1700000000000-7" });
    expect(refetches).toEqual(["fresh", "resync"]);
    expect(ids).toEqual([]);
  });

  it("closes when the page is put away, and opens when it is taken out", async () => {
    const world = new World();
    const { tab, ids } = world.visit();
    await world.clock.advance(100);
    tab.signal("suspend");
    await settle();
    expect(world.gateway.connections.size).toBe(0);
    await world.publish(1);
    tab.signal("restore");
    await world.clock.advance(100);
    expect(ids).toEqual(world.ids());
  });

  it("loses no event and shows none twice, whatever the network does", async () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant("cut" as const), code: fc.constantFrom(1006, 1012, 4408, 1013, 4401) }),
      fc.record({ kind: fc.constant("move" as const) }),
      fc.record({ kind: fc.constant("repeat" as const) }),
      fc.record({
        kind: fc.constant("block" as const),
        transport: fc.constantFrom("websocket" as const, "sse" as const),
      }),
      fc.record({ kind: fc.constant("unblock" as const) }),
      fc.record({ kind: fc.constant("down" as const) }),
      fc.record({ kind: fc.constant("up" as const) }),
      fc.record({ kind: fc.constant("wait" as const), span: fc.integer({ min: 1, max: 20_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        const world = new World();
        const { client, ids, refetches } = world.visit({ alone: true });
        await world.clock.advance(100);
        const { gateway } = world;
        for (const command of commands) {
          switch (command.kind) {
            case "publish":
              await world.publish(command.count);
              break;
            case "cut":
              gateway.cut(command.code);
              await world.clock.advance(command.code === 4401 ? 11_000 : 10);
              break;
            case "move":
              gateway.say({ frame: "reconnect", afterMs: 50 });
              break;
            case "repeat":
              for (const event of gateway.log.slice(-3)) gateway.say(event);
              break;
            case "block":
              gateway.blocked.add(command.transport);
              break;
            case "unblock":
              gateway.blocked.clear();
              break;
            case "down":
              gateway.up = false;
              gateway.cut();
              break;
            case "up":
              gateway.up = true;
              break;
            case "wait":
              gateway.say({ frame: "heartbeat" });
              await world.clock.advance(command.span);
          }
        }
        gateway.up = true;
        await world.clock.advance(120_000);
        expect(client.getState().kind).toBe("live");
        expect(ids).toEqual(world.ids());
        expect(gateway.connections.size).toBe(1);
        expect(refetches).toEqual(["fresh"]);
        client.stop();
      }),
      { numRuns: 200 },
    );
  }, 30_000);
});

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
