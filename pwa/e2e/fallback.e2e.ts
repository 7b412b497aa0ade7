import { describe, expect, it } from "vitest";
import { play } from "./support/play";
import { toastsOf } from "./support/stage";

const on = play();

describe.each([
  ["strip", "a proxy that strips Upgrade"],
  ["swallow", "a proxy that opens WebSockets and swallows what they carry"],
  ["short", "a proxy that kills WebSockets after three seconds"],
] as const)("behind %s", (kind, what) => {
  it(`${what}: events arrive, and the page is back on WebSocket by itself`, async () => {
    const house = await on.house();
    house.proxy.websockets = kind;
    const { tab: open } = await house.visit();
    const tab = await open();
    const numbers = [await house.sign()];
    await tab.uses("sse");
    numbers.push(await house.sign());
    await tab.shows(numbers.at(-1) ?? "");

    house.proxy.websockets = "pass";
    // One after the other while the page changes over.
    for (let done = false; !done; ) {
      numbers.push(await house.sign());
      await tab.shows(numbers.at(-1) ?? "");
      done = (await tab.connection()).transport === "websocket" || numbers.length > 400;
    }
    await tab.uses("websocket");
    numbers.push(await house.sign());
    await tab.counts(numbers.length);
    const feed = await tab.feed();
    expect(feed, "in order, each once").toEqual(numbers.slice(-feed.length));
    expect(await toastsOf([tab], numbers.at(-1) ?? "")).toBeLessThanOrEqual(1);
  });
});

it("polls where no stream comes through either", async () => {
  const house = await on.house();
  house.proxy.websockets = "strip";
  house.proxy.streams = "swallow";
  const { tab: open } = await house.visit();
  const tab = await open();
  await tab.is("polling");
  await tab.shows(await house.sign());
  house.proxy.streams = "pass";
  house.proxy.websockets = "pass";
  await tab.uses("websocket");
  await tab.shows(await house.sign());
  expect(await tab.feed()).toEqual(["D-2026-001", "D-2026-002"]);
});
