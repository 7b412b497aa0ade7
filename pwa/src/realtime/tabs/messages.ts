import type { ConnectionState, Refetch } from "../api";
import {
  type Check,
  count,
  cursor,
  type EventFrame,
  type Form,
  oneOf,
  parse,
  parseFrame,
  text,
} from "../protocol";

/** What only the leader says. The younger term is right when two believe that they lead. */
export type LeaderMessage = { readonly from: string; readonly term: number } & (
  | {
      readonly kind: "beat";
      readonly state: ConnectionState;
      readonly place: string | undefined;
      readonly filtered: boolean;
    }
  | {
      readonly kind: "event";
      readonly event: EventFrame;
      readonly recovered: boolean;
      /** The tab that tells the person. */
      readonly announcer: string;
    }
  | { readonly kind: "refetch"; readonly reason: Refetch; readonly place: string }
);

/** What any tab says. */
export type TabMessage =
  | LeaderMessage
  /** It is there; `turned` when it has just become visible or hidden, or has just come. */
  | {
      readonly kind: "here";
      readonly from: string;
      readonly visible: boolean;
      readonly since: number;
      readonly turned: boolean;
    }
  | { readonly kind: "bye"; readonly from: string }
  | { readonly kind: "retry"; readonly from: string }
  | {
      readonly kind: "sign-out";
      readonly from: string;
      readonly reason: "expired" | "revoked" | "signed-out";
    };

/** The channel's name carries a version, so that only tabs with the same words meet. */
export function channelName(userId: string, companyId: string): string {
  return `realtime.1:${companyId}:${userId}`;
}

const from = text;
const term = count;
const flag = oneOf(true, false);
const isState = oneOf("idle", "connecting", "live", "degraded", "reconnecting", "offline", "signed-out");
const state: Check = (value) => isState(Object(value).kind);

const FORMS: Record<TabMessage["kind"], Form> = {
  beat: { from, term, state, place: (value) => value === undefined || cursor(value), filtered: flag },
  event: {
    from,
    term,
    event: (value) => parseFrame(value)?.frame === "event",
    recovered: flag,
    announcer: text,
  },
  refetch: { from, term, reason: oneOf("fresh", "lost", "resync", "hole"), place: cursor },
  here: { from, visible: flag, since: count, turned: flag },
  bye: { from },
  retry: { from },
  "sign-out": { from, reason: oneOf("expired", "revoked", "signed-out") },
};

/** Whatever else is said on a channel of this name: another build's words, or somebody else's. */
export const parseMessage = (message: unknown): TabMessage | undefined => parse(message, "kind", FORMS);
