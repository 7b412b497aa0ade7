import { expect, it } from "vitest";
import { eventually } from "../stand/eventually";
import { play } from "./support/play";
import { toastsOf } from "./support/stage";

const on = play();

it("shows an event within a second of its publishing, with one toast", async () => {
  const house = await on.house();
  await house.sign();
  const tab = await house.live();
  await tab.shows("D-2026-001");
  expect(await tab.toasts(), "what was known before is no news").toEqual([]);

  const began = Date.now();
  const number = await house.sign();
  await tab.shows(number);
  expect(Date.now() - began).toBeLessThan(1_000);
  await tab.counts(2);
  await eventually("a toast", async () => (await toastsOf([tab], number)) > 0);
  const [toast] = await tab.toasts();
  expect(toast?.replace(/[\u00a0\u202f]/g, " ")).toContain(`Devis ${number} signé par Mme Lefèvre, 100 €`);
  await house.sign();
  await tab.counts(3);
  expect(await toastsOf([tab], number)).toBe(1);
});

it("shows another company's events to nobody", async () => {
  const house = await on.house();
  const tab = await house.live();
  const other = await on.house();
  await other.sign();
  await house.sign();
  await tab.counts(1);
  expect(await tab.feed()).toEqual(["D-2026-001"]);
});

it("tells the truth while the gateway is gone, and has everything once it is back", async () => {
  const house = await on.house();
  const tab = await house.live();
  await house.sign();
  await tab.counts(1);

  await on.stage.gateway.kill();
  await tab.is("reconnecting");
  const meanwhile = [await house.sign(), await house.sign()];
  await tab.page.getByTestId("retry").waitFor();
  await eventually("the text says it, too", async () =>
    /Reconnexion/.test((await tab.connection()).text ?? ""),
  );
  expect(await tab.feed(), "nothing is made up").toEqual(["D-2026-001"]);
  await on.stage.gateway.startAgain();
  await tab.is("live");
  for (const number of meanwhile) await tab.shows(number);
  await tab.counts(3);
  expect(await tab.feed()).toEqual(["D-2026-001", ...meanwhile]);
  // What was missed is told together, a moment later.
  for (const number of meanwhile)
    await eventually("a toast", async () => (await toastsOf([tab], number)) === 1);
  expect((await tab.states()).filter((state) => state === "live").length).toBe(2);
});

it("says that events come late while Redis does not answer", async () => {
  const house = await on.house();
  const tab = await house.live();
  on.stage.redis.pause();
  try {
    await tab.is("degraded");
  } finally {
    on.stage.redis.unpause();
  }
  await tab.is("live");
  await tab.shows(await house.sign());
});

it("says so when it polls, too", async () => {
  const house = await on.house();
  house.proxy.websockets = "strip";
  house.proxy.streams = "swallow";
  const { tab: open } = await house.visit({ timing: { poll: 2_000, probe: [60_000, 60_000, 60_000] } });
  const tab = await open();
  await tab.is("polling");
  on.stage.redis.pause();
  try {
    await tab.is("degraded");
    expect((await tab.connection()).transport).toBe("polling");
  } finally {
    on.stage.redis.unpause();
  }
  await tab.is("polling");
  await tab.shows(await house.sign());
});
