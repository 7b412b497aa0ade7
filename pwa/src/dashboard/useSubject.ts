import { useSyncExternalStore } from "react";
import { fromHash, type Subject, toHash } from "./subject";

const CHANGED = "subject-changed";

function subscribe(listener: () => void): () => void {
  const names = ["popstate", "hashchange", CHANGED];
  for (const name of names) window.addEventListener(name, listener);
  return () => {
    for (const name of names) window.removeEventListener(name, listener);
  };
}

function open(subject: Subject): void {
  // A panel that leads to another one makes way for it: one step back is the page.
  if (fromHash(location.hash)) history.replaceState(history.state, "", toHash(subject));
  else history.pushState({ panel: true }, "", toHash(subject));
  window.dispatchEvent(new Event(CHANGED));
}

function close(): void {
  if (!fromHash(location.hash)) return;
  const isOurs = history.state?.panel;
  // At once: going back takes a moment, and a second tap meanwhile would leave the page.
  history.replaceState(null, "", location.pathname + location.search);
  window.dispatchEvent(new Event(CHANGED));
  if (isOurs) history.back();
}

/** What the detail panel shows. It is in the address, so that a phone's back gesture closes the panel. */
export function useSubject() {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return { subject: fromHash(hash), open, close };
}
