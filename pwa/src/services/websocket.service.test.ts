import { expect, it, vi } from "vitest";
import type { ConnectionState, Delivery, RealtimeClient, RealtimeEvent, Refetch } from "../realtime";
import { RealtimeService } from "./websocket.service";

const EVENT: RealtimeEvent = {
  id: "1-1",
  type: "client:created",
  companyId: "acme",
  time: "2026-11-22T10:00:00Z",
  data: { clientId: "c", clientName: "Mme Lefèvre", city: "Nantes", createdBy: "x", createdAt: "t" },
};
const DELIVERY: Delivery = { announce: true, recovered: false };

class FakeClient implements RealtimeClient {
  state: ConnectionState = { kind: "connecting" };
  calls: string[] = [];
  event: ((event: RealtimeEvent, delivery: Delivery) => void) | undefined;
  refetch: ((reason: Refetch) => void) | undefined;
  changed: (() => void) | undefined;
  start = () => void this.calls.push("start");
  stop = () => void this.calls.push("stop");
  signOut = async () => void this.calls.push("signOut");
  retry = () => void this.calls.push("retry");
  getState = () => this.state;
  subscribe: RealtimeClient["subscribe"] = (listener) => {
    this.changed = listener;
    return () => {
      this.changed = undefined;
    };
  };
  on: RealtimeClient["on"] = (_, handler) => {
    this.event = handler as typeof this.event;
    return () => {
      this.event = undefined;
    };
  };
  onRefetch: RealtimeClient["onRefetch"] = (handler) => {
    this.refetch = handler;
    return () => {
      this.refetch = undefined;
    };
  };
}

const WHO = { userId: "u", companyId: "acme", getToken: async () => "t" };

it("keeps handlers from one client to the next", () => {
  const clients: FakeClient[] = [];
  const service = new RealtimeService(() => {
    const client = new FakeClient();
    clients.push(client);
    return client;
  });
  const heard: string[] = [];
  service.on("client:created", ({ data }) => heard.push(data.clientName));
  service.on("*", ({ type }) => heard.push(type));
  const stop = service.onRefetch((reason) => heard.push(reason));
  let changes = 0;
  service.subscribe(() => {
    changes += 1;
  });
  expect(service.getState()).toEqual({ kind: "idle" });

  service.open(WHO);
  service.open(WHO);
  const [first, second] = clients;
  expect(first?.calls).toEqual(["start", "stop"]);
  expect([first?.event, first?.refetch, first?.changed]).toEqual([undefined, undefined, undefined]);
  second?.event?.(EVENT, DELIVERY);
  second?.refetch?.("lost");
  stop();
  second?.refetch?.("lost");
  expect(heard).toEqual(["Mme Lefèvre", "client:created", "lost"]);
  expect(service.getState()).toBe(second?.state);
  service.retry();
  service.close();
  service.close();
  expect(second?.calls).toEqual(["start", "retry", "stop"]);
  expect(service.getState()).toEqual({ kind: "idle" });
  expect(changes).toBeGreaterThan(0);
});

it("calls every handler, also behind one that throws", () => {
  const reports: (() => void)[] = [];
  vi.stubGlobal("queueMicrotask", (report: () => void) => reports.push(report));
  const client = new FakeClient();
  const service = new RealtimeService(() => client);
  const heard: string[] = [];
  service.on("client:created", () => {
    throw new Error("a handler's");
  });
  service.on("client:created", () => heard.push("second"));
  service.on("*", () => heard.push("all"));
  service.open(WHO);
  client.event?.(EVENT, DELIVERY);
  expect(heard).toEqual(["second", "all"]);
  expect(reports).toHaveLength(1);
  expect(reports[0]).toThrow("a handler's");
  vi.unstubAllGlobals();
});

it("keeps back what only calls itself an event of the catalog", () => {
  const client = new FakeClient();
  const service = new RealtimeService(() => client);
  const heard: string[] = [];
  service.on("*", ({ type }) => heard.push(type));
  service.open(WHO);
  client.event?.({ ...EVENT, data: {} } as unknown as RealtimeEvent, DELIVERY);
  client.event?.(EVENT, DELIVERY);
  expect(heard).toEqual(["client:created"]);
});

it("is typed from the schema", () => {
  const service = new RealtimeService(() => new FakeClient());
  service.on("devis:signed", ({ data }) => data.clientName.toUpperCase());
  // @ts-expect-error a misspelt type does not compile
  service.on("devis:singed", () => {});
  // @ts-expect-error nor does a member that the event has not
  service.on("devis:signed", ({ data }) => data.durationMinutes);
  expect(service.getState().kind).toBe("idle");
});
