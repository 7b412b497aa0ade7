import { useEffect, useRef } from "react";
import { toast } from "sonner";
import { EventIcon } from "../components/NounIcon";
import { useRealtimeUpdates } from "../hooks";
import { t } from "../i18n";
import type { RealtimeEvent } from "../realtime";
import { Announcer } from "./announcer";
import { sentence } from "./sentence";

/** Tells the person what happened, wherever on the page they are. Draws nothing itself. */
export function Announcements({ onOpen }: { onOpen(event: RealtimeEvent): void }) {
  const open = useRef(onOpen);
  useEffect(() => {
    open.current = onOpen;
  });
  const announcer = useRef<Announcer>(null);
  useEffect(() => {
    announcer.current = new Announcer({
      // The event's id is the toast's: shown again it would be the same toast.
      one: (event) =>
        toast(sentence(event), {
          id: event.id,
          icon: <EventIcon type={event.type} />,
          action: { label: t.app.see, onClick: () => open.current(event) },
        }),
      many: (count) => toast(t.event.bulk(count)),
    });
    return () => announcer.current?.stop();
  }, []);
  useRealtimeUpdates({ "*": (event, delivery) => announcer.current?.hear(event, delivery) });
  return null;
}
