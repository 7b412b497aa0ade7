/** What browsers do to a client that is not the network's fault. */
import { describe, expect, it } from "vitest";
import { settle } from "./testing/clock";
import { World } from "./testing/world";

it("a token that is never given is asked for again", async () => {
  const world = new World();
  const { token } = world;
  world.token = () => new Promise(() => {});
  const { client, ids } = world.visit();
  await world.clock.advance(60_000);
  expect(client.getState().kind).toBe("reconnecting");
  world.token = token;
  await world.clock.advance(60_000);
  expect(client.getState().kind).toBe("live");
  await world.publish();
  expect(ids).toEqual(world.ids());
});

it("a browser that refuses Web Locks has each tab connect for itself", async () => {
  const world = new World();
  world.browser.refusesLocks = true;
  const visits = [world.visit(), world.visit()];
  await world.clock.advance(100);
  await world.publish(2);
  for (const { client, ids, deliveries } of visits) {
    expect(client.getState().kind).toBe("live");
    expect(ids).toEqual(world.ids());
    expect(deliveries.every(({ announce }) => announce)).toBe(true);
  }
  visits[0]?.client.stop();
  await settle();
  expect(world.gateway.connections.size).toBe(1);
});

it("a browser that refuses the channel to the other tabs has each connect for itself", async () => {
  const world = new World();
  world.browser.refusesChannels = true;
  const visits = [world.visit(), world.visit()];
  await world.clock.advance(5_000);
  await world.publish(2);
  for (const { ids } of visits) expect(ids).toEqual(world.ids());
});

describe("a clock that is set back by an hour", () => {
  const HOUR = 3_600_000;

  it("does not put off the next attempt", async () => {
    const world = new World();
    const { client } = world.visit();
    await world.clock.advance(100);
    world.gateway.up = false;
    world.gateway.cut();
    await world.clock.advance(30_000);
    world.gateway.up = true;
    world.clock.setBack(HOUR);
    await world.clock.advance(40_000);
    expect(client.getState().kind).toBe("live");
  });

  it("does not hide that the connection is dead", async () => {
    const world = new World();
    const { client } = world.visit();
    await world.clock.advance(100);
    world.gateway.connections.clear();
    world.gateway.up = false;
    world.clock.setBack(HOUR);
    // At worst the wait for a heartbeat begins anew.
    await world.clock.advance(80_000);
    expect(client.getState().kind).toBe("reconnecting");
  });

  it("does not have a tab announce that is gone", async () => {
    const world = new World();
    const leader = world.visit();
    await world.clock.advance(100);
    const crashed = world.visit();
    await world.clock.advance(2_000);
    world.browser.remove(crashed.tab);
    world.clock.setBack(HOUR);
    await world.clock.advance(5_000);
    await world.publish();
    expect(leader.deliveries.at(-1)?.announce).toBe(true);
  });
});
