import { useEffect, useState } from "react";

/** The value, followed at once when `isGood`, and otherwise when it has not been good for `delayMs`. */
export function useCalm<T>(value: T, isGood: (value: T) => boolean, delayMs: number): T {
  const [calm, setCalm] = useState(value);
  // What is not good already may change its reason at once.
  const atOnce = isGood(value) || !isGood(calm);
  if (atOnce && calm !== value) setCalm(value);
  useEffect(() => {
    if (atOnce) return;
    const timer = setTimeout(() => setCalm(value), delayMs);
    return () => clearTimeout(timer);
  }, [atOnce, value, delayMs]);
  return atOnce ? value : calm;
}

/** The value once it has not changed for `delayMs`. */
export function useSettled<T>(value: T, delayMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delayMs);
    return () => clearTimeout(timer);
  }, [value, delayMs]);
  return settled;
}
