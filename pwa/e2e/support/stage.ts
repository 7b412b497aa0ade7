/**
 * Everything real around a page: a Redis, a gateway that serves the built dashboard, a way to it that can be told to
 * misbehave, a browser. Each visit is a browser profile of its own, and each house a company of its own.
 */
import type { Browser, BrowserContextOptions, CDPSession, Page } from "playwright-core";
import { Auth } from "../../demo/auth";
import type { EventDataByType } from "../../src/realtime/events.generated";
import type { Timing } from "../../src/realtime/timing";
import { devisSigned } from "../../stand/events";
import { eventually } from "../../stand/eventually";
import { Gateway } from "../../stand/gateway";
import { Passage } from "../../stand/passage";
import { type EventType, type Published, Publisher } from "../../stand/publish";
import { Redis } from "../../stand/redis";
import { dist } from "../../stand/repository";
import { launch } from "./browser";

const SECRET = "the secret of the end-to-end tests, long enough";

/** Waits that are minutes for people are seconds here; what is to be shown within 3 s is left as it is. */
const QUICK: Partial<Timing> = {
  welcome: 1_500,
  heartbeatGrace: 2_000,
  backoff: [200, 1_000],
  lived: 5_000,
  probe: [2_000, 3_000, 5_000],
  spread: 200,
};

let houses = 0;

export interface StageOptions {
  /** Playwright switches the back/forward cache off unless told otherwise. */
  readonly backForwardCache?: boolean;
}

export class Stage {
  private constructor(
    readonly redis: Redis,
    readonly gateway: Gateway,
    readonly publisher: Publisher,
    readonly browser: Browser,
  ) {}

  static async start(options: StageOptions = {}): Promise<Stage> {
    const redis = await Redis.start();
    const gateway = await Gateway.start({
      redis: redis.url,
      secret: SECRET,
      pages: dist(),
      heartbeatSeconds: 2,
    });
    return new Stage(redis, gateway, new Publisher(redis.url), await launch(options));
  }

  /** A company, its owner, and a way to the gateway. */
  async house(tokenSeconds = 600): Promise<House> {
    houses += 1;
    const auth = new Auth(
      SECRET,
      { userId: "patron", companyId: `house-${process.pid}-${houses}` },
      tokenSeconds,
    );
    return new House(this, auth, await Passage.start(this.gateway.url, auth.handle));
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.publisher.stop();
    await this.gateway.kill();
    await this.redis.stop();
  }
}

export class House {
  #number = 0;

  constructor(
    private readonly stage: Stage,
    readonly auth: Auth,
    readonly proxy: Passage,
  ) {}

  get companyId(): string {
    return this.auth.owner.companyId;
  }

  publish<T extends EventType>(type: T, data: EventDataByType[T]): Promise<Published> {
    return this.stage.publisher.publish(this.companyId, type, data);
  }

  /** A quote is signed, for 100 €; gives the number on it. */
  async sign(): Promise<string> {
    this.#number += 1;
    const quote = devisSigned(this.#number, 10_000);
    await this.publish("devis:signed", quote);
    return quote.number;
  }

  /** A browser of its own at the dashboard. */
  async visit(options: { timing?: Partial<Timing>; context?: BrowserContextOptions; script?: string } = {}) {
    const context = await this.stage.browser.newContext({ locale: "fr-FR", ...options.context });
    await context.addInitScript(
      `window.__realtimeTiming = ${JSON.stringify({ ...QUICK, ...options.timing })};`,
    );
    await context.addInitScript(watch);
    if (options.script) await context.addInitScript(options.script);
    const tab = async () => {
      const page = await context.newPage();
      await page.goto(this.proxy.url);
      return new Tab(page);
    };
    return { context, tab };
  }

  /** One tab, once it is live. */
  async live(options?: Parameters<House["visit"]>[0]): Promise<Tab> {
    const tab = await (await this.visit(options)).tab();
    await tab.is("live");
    return tab;
  }

  async leave(): Promise<void> {
    for (const context of this.stage.browser.contexts()) await context.close();
    await this.proxy.stop();
  }
}

/** Runs in the page: writes down each toast and each state of the connection. */
function watch(): void {
  const seen = { toasts: [] as string[], states: [] as string[] };
  Object.assign(window, { __seen: seen });
  const toasts = new WeakSet<Element>();
  const look = () => {
    for (const toast of document.querySelectorAll("[data-sonner-toast]")) {
      if (!toasts.has(toast)) seen.toasts.push(toast.textContent ?? "");
      toasts.add(toast);
    }
    const state = document.querySelector("[data-testid=connection]")?.getAttribute("data-state");
    if (state && seen.states.at(-1) !== state) seen.states.push(state);
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
}

/** One tab, as its owner sees it. */
export class Tab {
  #cdp: CDPSession | undefined;

  constructor(readonly page: Page) {}

  /** Waits for a state of the indicator. */
  async is(state: string): Promise<void> {
    await eventually(
      `the indicator says ${state}`,
      async () => (await this.connection()).state === state || this.throw(),
    );
  }

  /** Waits for a transport. */
  async uses(transport: string): Promise<void> {
    const found = async () => (await this.connection()).transport === transport || this.throw();
    await eventually(`the page is on ${transport}`, found, 40_000);
  }

  private async throw(): Promise<never> {
    throw new Error(
      `${JSON.stringify(await this.connection())} after ${JSON.stringify(await this.states())}`,
    );
  }

  connection(): Promise<{ state: string | null; transport: string | null; text: string | null }> {
    return this.page.getByTestId("connection").evaluate((element) => ({
      state: element.getAttribute("data-state"),
      transport: element.getAttribute("data-transport"),
      text: element.textContent,
    }));
  }

  /** Waits until the quote of this number is in the feed. */
  async shows(number: string): Promise<void> {
    await this.page.getByTestId("feed-item").filter({ hasText: number }).first().waitFor({ timeout: 20_000 });
  }

  /** The numbers of the quotes in the feed, oldest first, as often as they are there. */
  async feed(): Promise<string[]> {
    const texts = await this.page.getByTestId("feed-item").allTextContents();
    return texts.flatMap((text) => /D-2026-\d+/.exec(text) ?? []).reverse();
  }

  /** Ids of the events in the feed. */
  async ids(): Promise<string[]> {
    return this.page
      .getByTestId("feed-item")
      .evaluateAll((items) => items.map((item) => item.dataset.eventId ?? ""));
  }

  async signed(): Promise<number> {
    const text = (await this.page.getByTestId("figure-devis-signed").textContent()) ?? "";
    return Number(text.replace(/\D/g, ""));
  }

  /** Waits until so many quotes are counted. */
  async counts(quotes: number): Promise<void> {
    await eventually(`${quotes} quotes are counted`, async () => {
      const signed = await this.signed();
      if (signed !== quotes) throw new Error(`${signed}`);
    });
  }

  toasts(): Promise<string[]> {
    return this.page.evaluate(() => (window as unknown as { __seen: { toasts: string[] } }).__seen.toasts);
  }

  states(): Promise<string[]> {
    return this.page.evaluate(() => (window as unknown as { __seen: { states: string[] } }).__seen.states);
  }

  /** What the developer tools can do. */
  async cdp(): Promise<CDPSession> {
    this.#cdp ??= await this.page.context().newCDPSession(this.page);
    return this.#cdp;
  }

  /**
   * From here on none of its scripts runs, no timer and no message, while sockets and locks stay: what a frozen page is.
   * (Chromium's own freezing leaves visible pages alone, and without a screen every page is visible.)
   */
  async freeze(): Promise<void> {
    const cdp = await this.cdp();
    await cdp.send("Debugger.enable");
    const paused = new Promise((resolve) => cdp.once("Debugger.paused", resolve));
    await cdp.send("Debugger.pause");
    await paused;
  }

  async unfreeze(): Promise<void> {
    await (await this.cdp()).send("Debugger.disable");
  }
}

/** Toasts of all tabs that tell of this quote. */
export async function toastsOf(tabs: readonly Tab[], number: string): Promise<number> {
  const all = await Promise.all(tabs.map((tab) => tab.toasts()));
  return all.flat().filter((text) => text.includes(number)).length;
}
