import { expect, it } from "vitest";
import { eventually } from "../stand/eventually";
import { play } from "./support/play";
import { toastsOf } from "./support/stage";

const on = play();

it("renews the token in place before it expires", async () => {
  const house = await on.house(8);
  const tab = await house.live();
  const [accepted, given] = [await on.stage.gateway.websockets(), house.auth.given];
  await eventually("three renewals", () => house.auth.given >= given + 3, 40_000);
  expect(await on.stage.gateway.websockets(), "the same connection").toBe(accepted);
  await tab.shows(await house.sign());
  expect(await tab.states()).not.toContain("reconnecting");
});

it("is signed out, and says so, when no token is given any more", async () => {
  const house = await on.house(4);
  const tab = await house.live();
  house.auth.tokens = "refused";
  await tab.is("signed-out");
  await tab.page.getByTestId("sign-in").waitFor();
  house.auth.tokens = "given";
  await tab.page.getByTestId("sign-in").click();
  await tab.is("live");
});

it("has everything, once, after a sleep in which its connection died without a word", async () => {
  const house = await on.house();
  const tab = await house.live();
  await house.sign();
  await tab.counts(1);
  await tab.freeze();
  house.proxy.mute();
  const meanwhile = [await house.sign(), await house.sign()];
  await tab.unfreeze();
  await tab.counts(3);
  expect(await tab.feed()).toEqual(["D-2026-001", ...meanwhile]);
  await tab.is("live");
});

it("says that it is offline, and has everything, once, when it is online again", async () => {
  const house = await on.house();
  const tab = await house.live();
  await house.sign();
  await tab.counts(1);
  house.proxy.network = "down";
  await tab.page.context().setOffline(true);
  await tab.is("offline");
  await tab.page.getByTestId("as-of").waitFor();
  const meanwhile = await house.sign();
  house.proxy.network = "up";
  await tab.page.context().setOffline(false);
  await tab.is("live");
  await tab.shows(meanwhile);
  await tab.counts(2);
  await eventually("a toast", async () => (await toastsOf([tab], meanwhile)) === 1);
});

it("fetches everything anew when what it missed is no longer held", async () => {
  const house = await on.house();
  const tab = await house.live();
  await house.sign();
  await tab.counts(1);
  house.proxy.network = "down";
  await tab.is("reconnecting");
  for (let more = 0; more < 3; more += 1) await house.sign();
  await on.stage.redis.command(`XTRIM {company:${house.companyId}}:log MAXLEN 1`);
  await on.stage.gateway.kill();
  await on.stage.gateway.startAgain();
  house.proxy.network = "up";
  await tab.is("live");
  await tab.shows("D-2026-004");
  // As the gateway has it: the last one alone.
  await tab.counts(1);
  await tab.shows(await house.sign());
  await tab.counts(2);
});
