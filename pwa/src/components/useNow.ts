import { useEffect, useState } from "react";

/** The time, again every `everyMs`; it stands still when that is undefined. */
export function useNow(everyMs: number | undefined): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (everyMs === undefined) return;
    const tick = () => setNow(new Date());
    tick();
    const timer = setInterval(tick, everyMs);
    // Timers sleep with the device.
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, [everyMs]);
  return now;
}
