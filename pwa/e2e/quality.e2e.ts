import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { beforeAll, expect, it } from "vitest";
import { eventually } from "../stand/eventually";
import { play } from "./support/play";
import type { Tab } from "./support/stage";

const on = play();
let axe: string;
beforeAll(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
});

/** What axe holds against the page, by WCAG 2.2 AA. */
async function violations({ page }: Tab): Promise<string[]> {
  // Through the developer tools: the page's own policy lets no foreign script in.
  await page.evaluate(axe);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const results: AxeResults = await page.evaluate(
    (values) =>
      (window as unknown as { axe: typeof import("axe-core") }).axe.run({ runOnly: { type: "tag", values } }),
    tags,
  );
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

it.each([
  ["light", { colorScheme: "light", viewport: { width: 1280, height: 800 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1280, height: 800 } }],
  [
    "on a phone",
    { colorScheme: "light", viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  ],
] as const)("has no barriers that axe knows of, %s", async (_, context) => {
  const house = await on.house();
  await house.sign();
  const tab = await house.live({ context: { ...context, reducedMotion: "reduce" } });
  await tab.shows("D-2026-001");
  expect(await violations(tab)).toEqual([]);
  await tab.page.getByTestId("feed-item").first().getByRole("button").first().click();
  await tab.page.getByTestId("detail").waitFor();
  expect(await violations(tab)).toEqual([]);
  await tab.page.keyboard.press("Escape");
  await tab.page.getByTestId("detail").waitFor({ state: "hidden" });
});

it("can be installed", async () => {
  const house = await on.house();
  const tab = await house.live();
  const cdp = await tab.cdp();
  const { errors, data } = await cdp.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  expect(JSON.parse(data ?? "{}")).toMatchObject({ lang: "fr", display: "standalone", start_url: "/" });
  const { installabilityErrors } = await cdp.send("Page.getInstallabilityErrors");
  // A profile of its own counts as incognito.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito")).toEqual([]);
});

it("opens without a network, with what was known and since when", async () => {
  const house = await on.house();
  await house.sign();
  const tab = await house.live();
  await tab.shows("D-2026-001");
  await tab.page.evaluate(() => navigator.serviceWorker.ready);
  await eventually("what is known is kept", () => tab.page.evaluate(kept));
  // A second load is the worker's.
  await tab.page.reload();
  await tab.is("live");
  await tab.shows("D-2026-001");
  await house.proxy.stop();
  await tab.page.reload();
  await tab.shows("D-2026-001");
  await tab.counts(1);
  await tab.page.getByTestId("as-of").waitFor();
  expect(await tab.page.getByTestId("as-of").textContent()).toMatch(/État au/);
  expect((await tab.connection()).state).not.toBe("live");
  await house.proxy.listen();
});

/** Runs in the page: whether the last known state is in the browser's store. */
function kept(): Promise<boolean> {
  return new Promise((resolve) => {
    const opening = indexedDB.open("dashboard");
    // Nobody has made it yet, and this is not to.
    opening.onupgradeneeded = () => opening.transaction?.abort();
    opening.onerror = () => resolve(false);
    opening.onsuccess = () => {
      const counting = opening.result.transaction("last-known").objectStore("last-known").count();
      counting.onsuccess = () => {
        opening.result.close();
        resolve(counting.result > 0);
      };
    };
  });
}
