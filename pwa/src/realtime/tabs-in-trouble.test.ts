import fc from "fast-check";
import { expect, it } from "vitest";
import { type Visit, World } from "./testing/world";

const which = fc.nat(5);
const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), span: fc.integer({ min: 1, max: 6_000 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("freeze", "thaw", "hide", "show", "crash", "close", "suspend", "restore"),
      which,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("open", "cut", "down", "up") }) },
);

const seqOf = (id: string): number => Number(id.split("-")[1]);

it("several tabs lose nothing, repeat nothing and announce nothing twice, whatever happens to them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      const world = new World();
      const { gateway, browser, clock } = world;
      const visits: Visit[] = [];
      const away = new Set<Visit>();
      const wasAway = new Set<Visit>();
      const open = (): void => {
        if (visits.filter(({ tab }) => browser.tabs.has(tab)).length < 4) visits.push(world.visit());
      };
      open();
      open();
      await clock.advance(1_500);
      for (const command of commands) {
        const there = visits.filter(({ tab }) => browser.tabs.has(tab));
        const visit = "which" in command ? there[command.which % there.length] : undefined;
        switch (command.kind) {
          case "publish":
            await world.publish("count" in command ? command.count : 1);
            break;
          case "wait":
            await clock.advance("span" in command ? command.span : 0);
            break;
          case "open":
            open();
            break;
          case "cut":
            gateway.cut();
            break;
          case "down":
            gateway.up = false;
            gateway.cut();
            break;
          case "up":
            gateway.up = true;
        }
        if (!visit) continue;
        const { tab, client } = visit;
        switch (command.kind) {
          case "freeze":
            if (!tab.isFrozen) tab.freeze();
            break;
          case "thaw":
            tab.thaw();
            break;
          case "hide":
          case "show":
            if (!tab.isFrozen && !away.has(visit)) tab.signal(command.kind === "hide" ? "hidden" : "visible");
            break;
          case "crash":
            if (there.length > 1) browser.remove(tab);
            break;
          case "close":
            if (there.length > 1 && !tab.isFrozen) {
              client.stop();
              browser.remove(tab);
            }
            break;
          case "suspend":
            if (!tab.isFrozen && !away.has(visit)) {
              away.add(visit);
              wasAway.add(visit);
              tab.signal("suspend");
            }
            break;
          case "restore":
            if (!tab.isFrozen && away.delete(visit)) tab.signal("restore");
        }
        await clock.advance(1);
      }
      gateway.up = true;
      const there = visits.filter(({ tab }) => browser.tabs.has(tab));
      for (const visit of there) {
        visit.tab.thaw();
        if (away.delete(visit)) visit.tab.signal("restore");
        visit.tab.signal("visible");
      }
      // Long enough for the longest wait and the last probe.
      await clock.advance(600_000);
      await world.publish();
      await clock.advance(3_000);

      for (const visit of there) {
        const { client, ids, refetches } = visit;
        expect(client.getState().kind).toBe("live");
        expect(ids.at(-1)).toBe(gateway.log.at(-1)?.id);
        const steps = ids.slice(1).map((id, index) => seqOf(id) - seqOf(ids[index] ?? ""));
        expect(
          steps.every((step) => step > 0),
          `in order, each once: ${ids}`,
        ).toBe(true);
        const holes = steps.filter((step) => step > 1).length;
        // Only who was out of reach of the others may have to fetch anew, and is told so.
        const told = refetches.filter((reason) => reason !== "fresh").length;
        if (!wasAway.has(visit)) expect([holes, told]).toEqual([0, 0]);
        else expect(told).toBeGreaterThanOrEqual(holes);
      }
      expect(gateway.connections.size, "one connection").toBe(1);
      // A tab that was put away cannot know what the others announced before they were closed.
      const present = visits.filter((visit) => !wasAway.has(visit));
      for (const { id } of gateway.log) {
        const announced = present.filter(({ ids, deliveries }) => deliveries[ids.indexOf(id)]?.announce);
        expect(announced.length, `${id} is announced`).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);
