/** One tab's place in the sequence of events, and what follows from what it hears. Pure but for that place. */
import type { Refetch } from "./api";
import { compareStanding, judge } from "./gate";
import type { EventFrame, ServerFrame } from "./protocol";

/** What a tab is to do, in order. */
export type Outcome =
  | { readonly kind: "event"; readonly event: EventFrame; readonly recovered: boolean }
  /** With the place to go on from, unless an event follows that says so itself. */
  | { readonly kind: "refetch"; readonly reason: Refetch; readonly place?: string };

export class Stream {
  /** The id of the last event that was handed on. */
  place: string | undefined;
  /** The token lets only some types through, so that places between two events may be kept back. */
  filtered = false;

  /** A frame of the gateway. */
  take(frame: ServerFrame, recovered: boolean): Outcome[] {
    switch (frame.frame) {
      case "welcome":
        return frame.resume === "lost"
          ? this.jump(frame.lastEventId, "lost")
          : this.stand(frame.lastEventId, "hole");
      case "resync":
        return this.jump(frame.lastEventId, "resync");
      case "event":
        return this.event(frame, recovered);
      default:
        return [];
    }
  }

  /** An event, from wherever it came. */
  event(event: EventFrame, recovered: boolean): Outcome[] {
    const verdict = judge(this.place, event.id, this.filtered);
    if (verdict === "old") return [];
    const reason = this.place === undefined ? "fresh" : verdict === "epoch" ? "resync" : "hole";
    this.place = event.id;
    const outcome = { kind: "event", event, recovered } as const;
    return verdict === "next" ? [outcome] : [{ kind: "refetch", reason }, outcome];
  }

  /** Somebody who knows says where the sequence stands. One who is not there yet has missed what `behind` says. */
  stand(place: string, behind: Refetch): Outcome[] {
    const standing = compareStanding(this.place, place);
    if (standing === "there") return [];
    const reason = this.place === undefined ? "fresh" : behind;
    this.place = place;
    return standing === "adopt" ? [] : [{ kind: "refetch", reason, place }];
  }

  /** The sequence goes on from there, be it ahead or behind. */
  jump(place: string, reason: Refetch): Outcome[] {
    this.place = place;
    return [{ kind: "refetch", reason, place }];
  }
}
