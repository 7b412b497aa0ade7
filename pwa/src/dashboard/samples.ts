/** Events for tests, made of the golden frames. */
import type { EventDataByType, EventType, RealtimeEvent } from "../realtime";

const GOLDEN = Object.values(
  import.meta.glob<RealtimeEvent>("../../../shared/fixtures/event-*.json", {
    eager: true,
    import: "default",
  }),
);

let seq = 0;

/** The golden event of a type, with an id of its own. `at` is a moment of the local time zone. */
export function sample<T extends EventType>(
  type: T,
  data: Partial<EventDataByType[T]> = {},
  at = "2026-11-24T10:00:00",
): Extract<RealtimeEvent, { type: T }> {
  const golden = GOLDEN.find((event) => event.type === type);
  if (!golden) throw new Error(`no golden frame of ${type}`);
  seq += 1;
  return {
    id: `1763800000000-${seq}`,
    type,
    companyId: "acme",
    time: new Date(at).toISOString(),
    data: { ...golden.data, ...data },
  } as unknown as Extract<RealtimeEvent, { type: T }>;
}
