/**
 * The cursor gate: the one place that decides whether an event is next, old, or says that something is missing. Pure.
 * Whatever comes from a gateway or from another tab passes it, so that overlapping sources are harmless.
 */
import { type Cursor, compareCursors, follows, parseCursor } from "./cursor";

/** What is to be done with an event. */
export type Verdict =
  /** It is the next one: apply it. */
  | "next"
  /** It has been seen: drop it. */
  | "old"
  /** Events before it are missing: refetch, then go on from it. */
  | "hole"
  /** It belongs to a log that was born anew: refetch, then go on from it. */
  | "epoch";

/**
 * Compares an event's id with the place where one stands. With `filtered` the token lets only some types through:
 * what is missing in between was kept back, and the connection's order is the proof.
 */
export function judge(place: string | undefined, id: string, filtered = false): Verdict {
  const later = parseCursor(id);
  const earlier = place === undefined ? undefined : parseCursor(place);
  if (!later) return "old";
  if (!earlier) return "hole";
  if (follows(later, earlier)) return "next";
  // The epoch of an empty log is a guess: two clocks may disagree about which came first.
  if (earlier.seq === "0") return filtered ? "next" : "hole";
  if (compareCursors(later, earlier) <= 0) return "old";
  if (later.epoch !== earlier.epoch) return "epoch";
  return filtered ? "next" : "hole";
}

/** What a place that somebody else vouches for means for ours. */
export type Standing =
  /** We are there, or have gone past it. */
  | "there"
  /** Both logs are empty: take the newer place, it proves more. */
  | "adopt"
  /** We are behind and nothing will follow that closes the gap: refetch, then go on from it. */
  | "behind";

export function compareStanding(place: string | undefined, other: string): Standing {
  const [ours, theirs]: (Cursor | undefined)[] = [
    place === undefined ? undefined : parseCursor(place),
    parseCursor(other),
  ];
  if (!theirs) return "there";
  if (!ours) return "behind";
  if (ours.seq === "0" && theirs.seq !== "0") return "behind";
  if (compareCursors(theirs, ours) <= 0) return "there";
  return ours.seq === "0" ? "adopt" : "behind";
}
