import type { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { session } from "../app/session";
import {
  type ConnectionState,
  type Delivery,
  EVENT_TYPES,
  type RealtimeEvent,
  type Refetch,
} from "../realtime";
import type { RealtimeService } from "../services/websocket.service";
import { nounOf } from "./events";
import {
  applyEvent,
  combine,
  createQueryClient,
  type Known,
  LISTS,
  listQuery,
  TOUCHES,
  wireQueries,
} from "./queries";
import { sample } from "./samples";

let client: QueryClient;

beforeEach(() => {
  client = createQueryClient();
});
afterEach(() => {
  client.clear();
  vi.restoreAllMocks();
});

const held = (list: string) => client.getQueryData<Known>([list])?.events;
const fill = (events: RealtimeEvent[] = []) => {
  for (const list of LISTS) client.setQueryData<Known>([list], { events, lastEventId: "1-0" });
};
const answer = (...events: RealtimeEvent[]) =>
  new Response(JSON.stringify({ events, lastEventId: events.at(-1)?.id ?? "1763800000000-0" }));

/** A service that says what the test wants. */
function fakeRealtime() {
  let handle: (event: RealtimeEvent, delivery: Delivery) => void = () => {};
  let refetch: (reason: Refetch) => void = () => {};
  let changed = () => {};
  let state: ConnectionState = { kind: "connecting" };
  return {
    service: {
      on: (_type: string, handler: typeof handle) => {
        handle = handler;
        return () => {};
      },
      onRefetch: (handler: typeof refetch) => {
        refetch = handler;
        return () => {};
      },
      subscribe: (listener: () => void) => {
        changed = listener;
        return () => {};
      },
      getState: () => state,
    } as unknown as RealtimeService,
    event: (event: RealtimeEvent) => handle(event, { announce: true, recovered: false }),
    refetch: () => refetch("fresh"),
    become(next: ConnectionState) {
      state = next;
      changed();
    },
  };
}

test("the table knows every type, and each touches the list of its noun", () => {
  const own = {
    devis: "devis",
    facture: "factures",
    intervention: "interventions",
    client: "clients",
    message: "messages",
  };
  for (const type of EVENT_TYPES) expect(TOUCHES[type]).toContain(own[nounOf(type)]);
});

test("an event is added to the lists that it touches, and to no other", () => {
  fill();
  const event = sample("facture:paid");
  applyEvent(client, event);
  for (const list of LISTS) {
    expect(held(list)).toEqual((TOUCHES["facture:paid"] as string[]).includes(list) ? [event] : []);
  }
});

test("an event that comes twice changes nothing, not even the object", () => {
  fill();
  const event = sample("devis:signed");
  applyEvent(client, event);
  const before = client.getQueryData(["devis"]);
  applyEvent(client, event);
  expect(client.getQueryData(["devis"])).toBe(before);
});

test("events that are older than what is known find their place", () => {
  const [first, second] = [sample("devis:created"), sample("devis:signed")];
  fill();
  applyEvent(client, second);
  applyEvent(client, first);
  expect(held("devis")).toEqual([first, second]);
});

test("an event that comes while its list is fetched is not lost to an older answer", async () => {
  let deliver: (response: Response) => void = () => {};
  vi.spyOn(session, "fetch").mockImplementation(() => new Promise((resolve) => (deliver = resolve)));
  const [old, live] = [sample("devis:created"), sample("devis:signed")];
  const fetched = client.fetchQuery(listQuery("devis"));
  applyEvent(client, live);
  deliver(answer(old));
  await fetched;
  expect(held("devis")).toEqual([old, live]);
});

test("a refetch while the first answer is awaited asks again after it", async () => {
  const realtime = fakeRealtime();
  wireQueries(client, realtime.service);
  const [old, missed] = [sample("devis:created"), sample("devis:signed")];
  const answers: ((response: Response) => void)[] = [];
  vi.spyOn(session, "fetch").mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
  const fetched = client.fetchQuery(listQuery("devis"));
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  realtime.refetch();
  answers[0]?.(answer(old));
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.(answer(old, missed));
  await fetched;
  expect(held("devis")).toEqual([old, missed]);
});

test("a list asks for the types that the table gives it, and keeps what it knows of the answer", async () => {
  const event = sample("message:received");
  const unknown = {
    ...event,
    id: "1763800000000-9999",
    type: "message:archived",
  } as unknown as RealtimeEvent;
  const fetch = vi.spyOn(session, "fetch").mockResolvedValue(answer(event, unknown));
  await client.fetchQuery(listQuery("messages"));
  expect(fetch.mock.calls[0]?.[0]).toBe("/v1/events?limit=1000&types=message:received");
  expect(held("messages")).toEqual([event]);
});

test("a refetch replaces what is held: events that are gone from the log go", async () => {
  const realtime = fakeRealtime();
  wireQueries(client, realtime.service);
  fill([sample("devis:created")]);
  const rest = sample("devis:signed");
  vi.spyOn(session, "fetch").mockImplementation(async () => answer(rest));
  await client.fetchQuery({ ...listQuery("devis"), staleTime: 0 });
  expect(held("devis")).toEqual([rest]);
});

test("live events reach the lists through the service", () => {
  const realtime = fakeRealtime();
  wireQueries(client, realtime.service);
  fill();
  const event = sample("client:created");
  realtime.event(event);
  expect(held("clients")).toEqual([event]);
});

test("an event that is not what the catalog says costs that event only", async () => {
  const good = sample("devis:signed");
  const bad = [
    { ...sample("devis:signed"), time: "2026-06-30T23:59:60.000Z" },
    { ...sample("devis:signed"), data: {} },
    7,
  ] as unknown as RealtimeEvent[];
  vi.spyOn(session, "fetch").mockResolvedValue(answer(...bad, good));
  await client.fetchQuery(listQuery("devis"));
  expect(held("devis")).toEqual([good]);
});

test("an answer that does not come is not waited for", async () => {
  vi.useFakeTimers();
  try {
    const event = sample("devis:signed");
    vi.spyOn(session, "fetch")
      .mockImplementationOnce(() => new Promise(() => {}))
      .mockImplementation(async () => answer(event));
    void client.prefetchQuery(listQuery("devis"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(held("devis")).toEqual([event]);
  } finally {
    vi.useRealTimers();
  }
});

test("the screen is out of date while a list that is there cannot be fetched anew", () => {
  const known: Known = { events: [], lastEventId: "1-0" };
  const result = { data: known, dataUpdatedAt: 1, failureCount: 0 };
  expect(combine([result, result])).toMatchObject({ ready: true, failing: false, outdated: false });
  expect(combine([result, { ...result, failureCount: 1 }])).toMatchObject({ failing: false, outdated: true });
  expect(combine([{ data: undefined, dataUpdatedAt: 0, failureCount: 1 }])).toMatchObject({
    failing: true,
    outdated: false,
  });
});
