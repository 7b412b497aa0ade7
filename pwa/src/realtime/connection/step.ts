import type { Timing } from "../timing";
import { connect, Draft, scheduleRetry, signOut, verify } from "./draft";
import { handleAsked, handleClosed } from "./endings";
import { handleFrame } from "./frames";
import type { Effect, Input, Machine } from "./state";
import { handleTick } from "./ticks";

/** What a step takes besides the machine: the time, chance from [0, 1), and the spans. */
export interface Circumstances {
  readonly now: number;
  readonly random: () => number;
  readonly timing: Timing;
}

/** The machine's one transition. Pure: gives the machine that follows and what it wants done, in order. */
export function step(
  machine: Machine,
  input: Input,
  circumstances: Circumstances,
): { readonly machine: Machine; readonly effects: readonly Effect[] } {
  const draft = new Draft(machine, circumstances);
  handle(draft, input);
  return { machine: draft.machine, effects: draft.effects };
}

function handle(draft: Draft, input: Input): void {
  const { machine } = draft;
  switch (input.kind) {
    case "start":
      if (machine.phase === "running" || machine.phase === "signed-out") return;
      machine.phase = "running";
      return connect(draft);
    case "stop":
    case "suspend":
      if (machine.phase === "signed-out") return;
      return draft.halt(input.kind === "stop" ? "stopped" : "suspended");
    case "refused":
      // The answer to a question that nobody asks any more.
      if (machine.phase !== "running" && input.reason !== "signed-out") return;
      return signOut(draft, input.reason);
  }
  if (machine.phase !== "running") return;
  switch (input.kind) {
    case "frame":
      return handleFrame(draft, input.link, input.frame);
    case "closed":
      return handleClosed(draft, input.link, input.code, input.retryAfter);
    case "asked":
      return handleAsked(draft, input.status, input.retryAfter);
    case "tick":
      return handleTick(draft);
    case "renewed":
      draft.renewBy(input.expiresAt);
      for (const link of draft.links()) {
        if (link.welcomedAt === undefined) continue;
        if (link.transport === "websocket") draft.effects.push({ kind: "auth", link: link.id });
        // A stream cannot be told; a new one can.
        else if (link.transport === "sse" && link === machine.main) machine.moveAt = draft.now;
      }
      return;
    case "renew-failed":
      machine.renewAt = draft.now + draft.timing.renewRetry;
      return;
    case "offline":
      // A hint: a connection that still answers stays.
      machine.offline = true;
      return verify(draft);
    case "online":
      machine.offline = false;
      // Another network, another chance for the best transport.
      if (!machine.main?.welcomedAt) machine.level = 0;
      return wake(draft, draft.timing.spread);
    case "wake":
      return wake(draft, draft.timing.spread);
    case "retry":
      return wake(draft, 0);
  }
}

/** Sees whether the connection still lives, or brings the next attempt forward. */
function wake(draft: Draft, spread: number): void {
  const { machine } = draft;
  if (machine.main?.welcomedAt !== undefined) return verify(draft);
  if (machine.retryAt === undefined) return;
  scheduleRetry(draft, Math.min(machine.retryAt - draft.now, draft.random() * spread));
  if ((machine.retryAt ?? 0) <= draft.now) connect(draft);
}
