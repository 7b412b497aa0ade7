import { useEffect, useEffectEvent } from "react";
import type { Delivery, EventType, RealtimeEvent } from "../realtime";
import { realtime } from "../services/websocket.service";

/** What to do with which event; `*` gets all of them. */
export type RealtimeHandlers = {
  [T in EventType]?: (event: RealtimeEvent<T>, delivery: Delivery) => void;
} & { "*"?: (event: RealtimeEvent, delivery: Delivery) => void };

/** Calls the handlers for as long as the component is mounted. They may be new ones at every render. */
export function useRealtimeUpdates(handlers: RealtimeHandlers): void {
  const handle = useEffectEvent((event: RealtimeEvent, delivery: Delivery) => {
    // The union's members cannot be told apart here: each handler gets events of its own type only.
    const own = handlers[event.type] as ((event: RealtimeEvent, delivery: Delivery) => void) | undefined;
    own?.(event, delivery);
    handlers["*"]?.(event, delivery);
  });
  useEffect(() => realtime.on("*", (event, delivery) => handle(event, delivery)), []);
}
