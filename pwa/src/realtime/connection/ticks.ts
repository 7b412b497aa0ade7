import type { Timing } from "../timing";
import { connect, type Draft, dropSpare, promote } from "./draft";
import { handleClosed } from "./endings";
import { ABNORMAL, LADDER, type Link, type Machine } from "./state";

const NEVER = Number.POSITIVE_INFINITY;

/** When a link is dead if nothing more is heard. */
function linkDeadline(link: Link, timing: Timing): number {
  if (link.welcomedAt === undefined) return link.openedAt + timing.welcome;
  const silence = link.heardAt + link.heartbeatMs + timing.heartbeatGrace;
  return Math.min(silence, (link.pingedAt ?? NEVER) + timing.ping);
}

/** When a link on trial has proven itself. */
function proofAt({ spare }: Machine, timing: Timing): number | undefined {
  if (spare?.role !== "probe" || spare.welcomedAt === undefined || !spare.answered) return undefined;
  return spare.welcomedAt + timing.lived;
}

/** When the machine wants its next tick. A late one is as good: every deadline goes by the clock. */
export function nextDeadline(machine: Machine, timing: Timing): number {
  const { main, spare, retryAt, moveAt, probeAt, renewAt } = machine;
  const links = [main, spare].map((link) => link && linkDeadline(link, timing));
  const moments = [...links, retryAt, moveAt, probeAt, renewAt, proofAt(machine, timing)];
  return Math.min(...moments.map((at) => at ?? NEVER));
}

/** Does what has fallen due. */
export function handleTick(draft: Draft): void {
  const { machine, now, timing } = draft;
  const due = (at: number | undefined): boolean => at !== undefined && at <= now;
  for (const link of draft.links()) {
    if (!due(linkDeadline(link, timing))) continue;
    draft.close(link);
    handleClosed(draft, link.id, ABNORMAL);
  }
  if (due(proofAt(machine, timing))) promote(draft);
  if (due(machine.renewAt)) {
    machine.renewAt = undefined;
    draft.effects.push({ kind: "renew" });
  }
  if (due(machine.moveAt)) {
    machine.moveAt = undefined;
    if (machine.main?.welcomedAt !== undefined && machine.spare?.role !== "move") {
      dropSpare(draft);
      machine.spare = { ...draft.open(machine.main.transport, false), role: "move" };
    }
  }
  if (due(machine.probeAt)) {
    machine.probeAt = undefined;
    if (machine.main?.welcomedAt !== undefined && !machine.spare) {
      machine.spare = { ...draft.open(LADDER[machine.probeLevel] ?? "websocket", false), role: "probe" };
    }
  }
  if (due(machine.retryAt)) connect(draft);
}
