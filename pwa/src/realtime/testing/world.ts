/** Visits of a fake browser to a fake gateway. */
import type { Delivery, RealtimeClient, Refetch } from "../api";
import { createRealtimeClient } from "../index";
import { FakeBrowser, FakeTab } from "./browser";
import { FakeClock, settle } from "./clock";
import { FakeGateway } from "./gateway";

const TOKEN = `x.${btoa('{"exp":4000000000}')}.x`;

export interface Visit {
  readonly tab: FakeTab;
  readonly client: RealtimeClient;
  readonly ids: string[];
  readonly deliveries: Delivery[];
  readonly refetches: Refetch[];
}

export class World {
  readonly clock = new FakeClock();
  readonly gateway = new FakeGateway(this.clock);
  readonly browser = new FakeBrowser(this.clock, this.gateway);
  token: () => Promise<string | null> = async () => TOKEN;
  #random = 1;

  visit(options: { readonly alone?: boolean; readonly visible?: boolean } = {}): Visit {
    const tab = new FakeTab(this.browser);
    tab.visible = options.visible ?? true;
    const environment = tab.environment(() => {
      this.#random = (this.#random * 16807) % 2147483647;
      return this.#random / 2147483647;
    });
    const client = createRealtimeClient({
      url: "http://gateway",
      userId: "u1",
      companyId: "acme",
      getToken: () => this.token(),
      ...environment,
      ...(options.alone ? { locks: undefined } : {}),
    });
    const visit: Visit = { tab, client, ids: [], deliveries: [], refetches: [] };
    client.on("*", (event, delivery) => {
      visit.ids.push(event.id);
      visit.deliveries.push(delivery);
    });
    client.onRefetch((reason) => visit.refetches.push(reason));
    client.start();
    return visit;
  }

  ids(from = 0): string[] {
    return this.gateway.log.slice(from).map(({ id }) => id);
  }

  async publish(count = 1): Promise<void> {
    for (let index = 0; index < count; index += 1) this.gateway.publish();
    await settle();
  }
}
