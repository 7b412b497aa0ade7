import type { ConnectionState, Refetch } from "../api";
import type { EventFrame } from "../protocol";

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

export function parseMessage(message: unknown): TabMessage | undefined {
  const known = typeof message === "object" && message !== null && "kind" in message && "from" in message;
  return known ? (message as TabMessage) : undefined;
}
