/** The door for an event's data. The gateway hands on whatever was published under a type of the catalog. */
import type { RealtimeEvent } from "./api";
import { EVENT_MEMBERS } from "./events.generated";
import { parseFrame } from "./protocol";

/** Whether it is a whole event: its data is what the schema says of its type, its time one that can be read. */
export function isOfCatalog(value: unknown): value is RealtimeEvent {
  const event = parseFrame({ ...Object(value), frame: "event" });
  if (event?.frame !== "event" || Number.isNaN(Date.parse(event.time))) return false;
  if (!Object.hasOwn(EVENT_MEMBERS, event.type)) return false;
  const data = Object(event.data) as Record<string, unknown>;
  return Object.entries(EVENT_MEMBERS[event.type as RealtimeEvent["type"]]).every(
    ([name, kind]) =>
      kind.startsWith(typeof data[name]) || (kind.endsWith("?") && (data[name] ?? null) === null),
  );
}
