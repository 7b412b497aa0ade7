/**
 * Films the dashboard for the README: a day goes on, the network is cut and comes back, what was missed is there. Needs
 * `img2webp` (Debian: webp) beside what the end-to-end tests need. `npm run film` writes docs/images/live.webp.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { launch } from "../e2e/support/browser";
import { Child } from "../stand/child";
import { Gateway } from "../stand/gateway";
import { Passage } from "../stand/passage";
import { Redis } from "../stand/redis";
import { binary, dist } from "../stand/repository";
import { Auth } from "./auth";

const SECRET = "the secret of the film, which nobody needs to know";
const TARGET = resolve(import.meta.dirname, "../docs/images/live.webp");
/** Of the simulated day, so that there is something to see when the film begins. */
const MORNING_MS = 22_000;
const FRAME_MS = 400;
const SCENES: readonly (readonly [network: "up" | "down", frames: number])[] = [
  ["up", 10],
  ["down", 12],
  ["up", 14],
];
/** In the browser it is the afternoon, whenever the film is made. */
const ZONE = 13 - new Date().getUTCHours();

const redis = await Redis.start();
const gateway = await Gateway.start({ redis: redis.url, secret: SECRET, pages: dist() });
const simulate = [binary("loadtest"), "simulate", "--companies", "1"] as const;
const [companyId = "", ...name] = execFileSync(simulate[0], [...simulate.slice(1), "--list"], {
  encoding: "utf8",
})
  .trim()
  .split(/\s+/);
const auth = new Auth(SECRET, { userId: "patron", companyId, companyName: name.join(" ") });
const passage = await Passage.start(gateway.url, auth.handle);
const day = Child.start("simulate", simulate[0], [
  ...simulate.slice(1),
  ...["--redis", redis.url, "--speed", "900"],
]);
const browser = await launch({});
const folder = mkdtempSync(join(tmpdir(), "film-"));
try {
  const page = await browser.newPage({
    locale: "fr-FR",
    viewport: { width: 1100, height: 760 },
    // The sign of these names is that of seafarers: GMT-3 is three hours ahead.
    timezoneId: `Etc/GMT${ZONE > 0 ? "-" : "+"}${Math.abs(ZONE)}`,
  });
  await page.goto(passage.url);
  await sleep(MORNING_MS);
  const frames: string[] = [];
  for (const [network, count] of SCENES) {
    passage.network = network;
    for (let frame = 0; frame < count; frame++) {
      // Nobody waits for a countdown in a film, unless it is over already.
      if (frame === 2 && frames.length > 20)
        await page
          .getByText("Réessayer")
          .click({ timeout: 500 })
          .catch(() => {});
      const next = sleep(FRAME_MS);
      const path = join(folder, `${String(frames.length).padStart(3, "0")}.png`);
      await page.screenshot({ path });
      frames.push(path);
      await next;
    }
  }
  execFileSync("img2webp", [
    "-loop",
    "0",
    "-d",
    String(FRAME_MS),
    "-lossless",
    "-m",
    "6",
    ...frames,
    "-o",
    TARGET,
  ]);
  console.log(TARGET);
} finally {
  rmSync(folder, { recursive: true });
  await browser.close();
  await day.stop();
  await passage.stop();
  await gateway.stop();
  await redis.stop();
}
