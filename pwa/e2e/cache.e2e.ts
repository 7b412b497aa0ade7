/** The browser's back/forward cache: the page is put away whole, and taken out as it was. */
import { expect, it } from "vitest";
import { eventually } from "../stand/eventually";
import { play } from "./support/play";
import { type House, type Tab, toastsOf } from "./support/stage";

const on = play({ backForwardCache: true });

/** Runs in the page: whether it was ever taken out of the cache. */
const WATCH = "addEventListener('pageshow', (event) => (window.__restored ||= event.persisted));";

async function visit(house: House): Promise<{ readonly tab: Tab; another(): Promise<Tab> }> {
  const { tab: another } = await house.visit({ script: WATCH });
  const tab = await another();
  await tab.is("live");
  // A worker that takes the page over while it is away would have it thrown out.
  await tab.page.evaluate(() => navigator.serviceWorker.ready);
  return { tab, another };
}

async function leave({ page }: Tab, house: House): Promise<void> {
  await page.goto(new URL("/icon.svg", house.proxy.url).href);
}

async function comeBack({ page }: Tab): Promise<void> {
  await page.evaluate(() => history.back()).catch(() => {});
  await eventually("the page is out of the cache", () =>
    page.evaluate(() => (window as unknown as { __restored?: boolean }).__restored ?? false),
  );
}

it("lets go of its connection on the way in, and has everything, once, on the way out", async () => {
  const house = await on.house();
  const { tab } = await visit(house);
  const before = await house.sign();
  await tab.counts(1);
  await leave(tab, house);
  await eventually("no connection", async () => (await on.stage.gateway.connections()) === 0);
  const meanwhile = [await house.sign(), await house.sign()];
  await comeBack(tab);
  await tab.is("live");
  await tab.counts(3);
  expect(await tab.feed()).toEqual([before, ...meanwhile]);
  for (const number of meanwhile)
    await eventually("a toast", async () => (await toastsOf([tab], number)) === 1);
  expect(await on.stage.gateway.connections()).toBe(1);
});

it("lets another tab lead meanwhile", async () => {
  const house = await on.house();
  const { tab, another } = await visit(house);
  const other = await another();
  await other.is("live");
  await leave(tab, house);
  await other.shows(await house.sign());
  await comeBack(tab);
  await tab.is("live");
  await tab.counts(1);
  const last = await house.sign();
  for (const one of [tab, other]) await one.shows(last);
  await eventually("one connection", async () => (await on.stage.gateway.connections()) === 1);
});
