import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settle } from "./testing/clock";
import { World } from "./testing/world";

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
              // A token that is refused before another has proven itself signs out, and rightly so.
              await world.clock.advance(command.code === 4401 ? 90_000 : 10);
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
              await world.clock.advance(command.span);
          }
        }
        // Long enough for the longest wait and the last probe: everybody ends on the best transport.
        gateway.up = true;
        gateway.blocked.clear();
        await world.clock.advance(600_000);
        expect(client.getState()).toEqual({ kind: "live", transport: "websocket" });
        expect(ids).toEqual(world.ids());
        expect(gateway.connections.size).toBe(1);
        expect(refetches).toEqual(["fresh"]);
        client.stop();
      }),
      { numRuns: 1_000 },
    );
  }, 30_000);
});
