import { describe, expect, it } from "vitest";
import { eventually } from "../stand/eventually";
import { play } from "./support/play";
import { type House, type Tab, toastsOf } from "./support/stage";

/** Another tab must lead within this time. */
const SUCCESSION = 3_000;

const on = play();

async function threeTabs(): Promise<{ readonly house: House; readonly tabs: [Tab, Tab, Tab] }> {
  const house = await on.house();
  const { tab } = await house.visit();
  const first = await tab();
  await first.is("live");
  const tabs: [Tab, Tab, Tab] = [first, await tab(), await tab()];
  for (const one of tabs) await one.is("live");
  return { house, tabs };
}

it("holds one WebSocket for three tabs, and shows one toast", async () => {
  const { house, tabs } = await threeTabs();
  expect(await on.stage.gateway.connections()).toBe(1);
  const number = await house.sign();
  for (const tab of tabs) await tab.shows(number);
  for (const tab of tabs) await tab.counts(1);
  await eventually("a toast", async () => (await toastsOf(tabs, number)) > 0);
  await house.sign();
  for (const tab of tabs) await tab.counts(2);
  expect(await toastsOf(tabs, number)).toBe(1);
});

const ends: [string, (leader: Tab) => Promise<void>][] = [
  ["closed", (leader) => leader.page.close()],
  ["crashed", async (leader) => void (await leader.cdp()).send("Page.crash").catch(() => {})],
  ["frozen", (leader) => leader.freeze()],
];

describe.each(ends)("when the leading tab is %s", (name, end) => {
  it("another one leads within three seconds, and nothing is lost or twice", async () => {
    const { house, tabs } = await threeTabs();
    const [leader, ...others] = tabs;
    const before = await house.sign();
    for (const tab of others) await tab.shows(before);

    const accepted = await on.stage.gateway.websockets();
    await end(leader);
    const began = Date.now();
    const numbers = [await house.sign()];
    await eventually("another tab connects", async () => (await on.stage.gateway.websockets()) > accepted);
    const tookOver = Date.now() - began;
    numbers.push(await house.sign());
    for (const tab of others) {
      for (const number of numbers) await tab.shows(number);
      await tab.counts(3);
      expect(await tab.feed()).toEqual([before, ...numbers]);
    }
    expect(tookOver).toBeLessThan(SUCCESSION);
    const awake = [...others];
    if (name === "frozen") {
      await leader.unfreeze();
      await leader.counts(3);
      expect(await leader.feed()).toEqual([before, ...numbers]);
      awake.push(leader);
      await eventually("one connection", async () => (await on.stage.gateway.connections()) === 1);
      const last = await house.sign();
      for (const tab of awake) await tab.counts(4);
      await eventually("a toast", async () => (await toastsOf(awake, last)) === 1);
    }
    for (const number of numbers) expect(await toastsOf(awake, number), number).toBeLessThanOrEqual(1);
  });
});

it("connects each tab for itself where there are no Web Locks, and is correct", async () => {
  const house = await on.house();
  const { tab } = await house.visit({
    script: "Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });",
  });
  const tabs = [await tab(), await tab()];
  for (const one of tabs) await one.is("live");
  expect(await on.stage.gateway.connections()).toBe(2);
  const number = await house.sign();
  for (const one of tabs) {
    await one.shows(number);
    await one.counts(1);
  }
});

it("signs every tab out when one is", async () => {
  const { tabs } = await threeTabs();
  await tabs[1].page.getByTestId("sign-out").click();
  for (const tab of tabs) await tab.is("signed-out");
  // The button is gone; who used it is at the title of what came in its place.
  expect(await tabs[1].page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
  await eventually("no connection", async () => (await on.stage.gateway.connections()) === 0);
});
