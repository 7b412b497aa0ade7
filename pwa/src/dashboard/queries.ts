/**
 * The data, wired once: which event touches which query is the table {@link TOUCHES}. An event is appended to the lists
 * that it touches; when the client cannot vouch for them any more, all are fetched anew.
 */
import { QueryClient, queryOptions, useQueries } from "@tanstack/react-query";
import * as v from "valibot";
import { session } from "../app/session";
import { EVENT_TYPES, type EventType, type RealtimeEvent } from "../realtime";
import { isOfCatalog } from "../realtime/catalog";
import { BROWSER_TIMERS, within } from "../realtime/patience";
import { realtime as service } from "../services/websocket.service";
import { type Events, mergeEvents } from "./events";

export const LISTS = ["devis", "factures", "interventions", "clients", "messages"] as const;
export type List = (typeof LISTS)[number];

/** A new type of event does not compile until it says here where it belongs. */
export const TOUCHES: { readonly [T in EventType]: readonly List[] } = {
  "client:created": ["clients"],
  "devis:created": ["devis"],
  "devis:rejected": ["devis"],
  "devis:signed": ["devis"],
  "facture:created": ["factures"],
  "facture:paid": ["factures"],
  "intervention:completed": ["interventions"],
  "intervention:started": ["interventions"],
  "message:received": ["messages"],
};

/** What a query holds. */
export interface Known {
  readonly events: Events;
  readonly lastEventId: string;
}

/** The most that a list keeps, and that the gateway gives. */
const LIMIT = 1000;

/** An answer that has not begun by then does not come. */
const PATIENCE_MS = 20_000;

const answer = v.object({ events: v.array(v.unknown()), lastEventId: v.string() });

/** The gateway does not take the token. */
class Refused extends Error {}

/** Counts the refetches that were asked for. */
let generation = 0;

/** Events that came while a list was being fetched: the answer may have been made before them. */
const arriving = new Map<List, Set<RealtimeEvent[]>>();

export function listQuery(list: List) {
  return queryOptions({
    queryKey: [list],
    queryFn: async ({ signal }): Promise<Known> => {
      const arrived: RealtimeEvent[] = [];
      const waiting = arriving.get(list) ?? new Set();
      arriving.set(list, waiting.add(arrived));
      try {
        for (;;) {
          const asked = generation;
          const known = await fetchEvents(list, signal);
          // A query without data is not fetched twice at once: an answer from before the refetch is not good enough.
          if (asked === generation) return { ...known, events: mergeEvents(known.events, arrived) };
        }
      } finally {
        waiting.delete(arrived);
      }
    },
  });
}

async function fetchEvents(list: List, signal: AbortSignal): Promise<Known> {
  const types = EVENT_TYPES.filter((type) => TOUCHES[type].includes(list));
  const asking = session.fetch(`/v1/events?limit=${LIMIT}&types=${types.join(",")}`, { signal });
  const response = await within(asking, PATIENCE_MS, BROWSER_TIMERS);
  if (response.status === 401 || response.status === 403) throw new Refused();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const { events, lastEventId } = v.parse(answer, await response.json());
  return { events: events.filter(isOfCatalog), lastEventId };
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // Only an event or a refetch makes what is known old; nothing is fetched because time passed.
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        refetchOnMount: "always",
        // A device that says it is offline is not believed: the answer decides.
        networkMode: "always",
        // A fetch that failed is never given up: it is what makes the screen right again.
        retry: (_count, error) => !(error instanceof Refused),
        retryDelay: (count) => Math.random() * Math.min(30_000, 500 * 2 ** count),
      },
    },
  });
}

/** Appends an event to every list that it touches. One that is there already changes nothing. */
export function applyEvent(client: QueryClient, event: RealtimeEvent): void {
  for (const list of TOUCHES[event.type] ?? []) {
    for (const arrived of arriving.get(list) ?? []) arrived.push(event);
    client.setQueryData<Known>([list], (known) => {
      if (!known) return undefined;
      const events = mergeEvents(known.events, [event]);
      return events === known.events ? known : { events: events.slice(-LIMIT), lastEventId: event.id };
    });
  }
}

/** Lets the realtime service keep the queries right. Returns the way to stop that. */
export function wireQueries(client: QueryClient, realtime = service): () => void {
  const refetch = () => {
    generation += 1;
    void client.invalidateQueries();
  };
  let wasConnected = false;
  const stops = [
    realtime.on("*", (event) => applyEvent(client, event)),
    realtime.onRefetch(refetch),
    realtime.subscribe(() => {
      const connected = realtime.getState().kind === "live";
      // The network is back: a fetch that waits for its next try need not.
      if (connected && !wasConnected) {
        void client.invalidateQueries({
          predicate: ({ state }) => state.fetchFailureCount > 0 || state.status === "error",
        });
      }
      wasConnected = connected;
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

export interface DashboardData {
  /** Everything that is known, in order. */
  readonly events: Events;
  readonly ready: boolean;
  /** A list is not there and the last try failed. */
  readonly failing: boolean;
  /** A list is there and could not be fetched anew at the last try, so that something may be missing. */
  readonly outdated: boolean;
  /** When the oldest of the lists was last known to be right, unix milliseconds; 0 when nothing is known. */
  readonly knownAt: number;
}

export function useDashboardData(): DashboardData {
  return useQueries({ queries: LISTS.map(listQuery), combine });
}

interface Result {
  readonly data: Known | undefined;
  readonly dataUpdatedAt: number;
  readonly failureCount: number;
}

let last: { inputs: readonly (Known | undefined)[]; events: Events } = { inputs: [], events: [] };

/** Kept outside of `combine`, which is called at every render: the same lists give the same array. */
function allEvents(inputs: readonly (Known | undefined)[]): Events {
  if (inputs.length === last.inputs.length && inputs.every((input, i) => input === last.inputs[i])) {
    return last.events;
  }
  const events = mergeEvents([], ...inputs.map((known) => known?.events ?? []));
  last = { inputs, events };
  return events;
}

export function combine(results: readonly Result[]): DashboardData {
  return {
    events: allEvents(results.map(({ data }) => data)),
    ready: results.every(({ data }) => data !== undefined),
    failing: results.some(({ data, failureCount }) => data === undefined && failureCount > 0),
    outdated: results.some(({ data, failureCount }) => data !== undefined && failureCount > 0),
    knownAt: Math.min(...results.map(({ dataUpdatedAt }) => dataUpdatedAt)),
  };
}
