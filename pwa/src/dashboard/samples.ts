/** Events for tests, made of the golden frames. */
import clientCreated from "../../../shared/fixtures/event-client-created.json";
import devisCreated from "../../../shared/fixtures/event-devis-created.json";
import devisRejected from "../../../shared/fixtures/event-devis-rejected.json";
import devisSigned from "../../../shared/fixtures/event-devis-signed.json";
import factureCreated from "../../../shared/fixtures/event-facture-created.json";
import facturePaid from "../../../shared/fixtures/event-facture-paid.json";
import interventionCompleted from "../../../shared/fixtures/event-intervention-completed.json";
import interventionStarted from "../../../shared/fixtures/event-intervention-started.json";
import messageReceived from "../../../shared/fixtures/event-message-received.json";
import type { EventDataByType, EventType, RealtimeEvent } from "../realtime";

const GOLDEN = [
  clientCreated,
  devisCreated,
  devisRejected,
  devisSigned,
  factureCreated,
  facturePaid,
  interventionCompleted,
  interventionStarted,
  messageReceived,
] as unknown as RealtimeEvent[];

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
