import type { ServerFrame } from "../protocol";
import { type Draft, promote, scheduleProbe } from "./draft";
import { handleClosed } from "./endings";
import { ABNORMAL, type Link } from "./state";

/** A frame came over one of the links. */
export function handleFrame(draft: Draft, id: number, frame: ServerFrame): void {
  const { machine, now } = draft;
  const link = draft.links().find((link) => link.id === id);
  if (!link) return;
  link.heardAt = now;
  link.suspect = false;
  // Somebody else answers at this address; or a trial tells of a loss: if it is one, the main connection says so itself,
  // and the two may not tell of it one after the other.
  const isStranger = frame.frame !== "welcome" && link.welcomedAt === undefined;
  if (isStranger || (machine.spare?.role === "probe" && link === machine.spare && tellsLoss(frame))) {
    draft.close(link);
    return handleClosed(draft, id, ABNORMAL);
  }
  if (frame.frame === "welcome") return welcome(draft, link, frame);
  // Where nothing can be asked, whatever follows the welcome says that the way is open.
  if (link.transport === "sse" && frame.frame !== "event") link.answered = true;
  switch (frame.frame) {
    case "event":
      draft.effects.push({ kind: "apply", frame, recovered: link.resumes && isCatchingUp(draft, link) });
      return;
    case "resync":
      draft.effects.push({ kind: "apply", frame, recovered: true });
      return;
    case "status":
      link.degraded = frame.delivery === "degraded";
      return;
    case "pong":
      link.pingedAt = undefined;
      link.answered = true;
      return;
    case "reconnect":
      // The gateway spreads its clients by `afterMs`. A trial that is sent away has failed.
      if (link === machine.main && machine.spare?.role !== "move") machine.moveAt = now + frame.afterMs;
      return;
  }
}

function tellsLoss(frame: ServerFrame): boolean {
  return frame.frame === "resync" || (frame.frame === "welcome" && frame.resume === "lost");
}

function welcome(draft: Draft, link: Link, frame: Extract<ServerFrame, { frame: "welcome" }>): void {
  const { machine, now } = draft;
  if (link.welcomedAt !== undefined) return;
  link.welcomedAt = now;
  link.heartbeatMs = frame.heartbeatMs;
  machine.offline = false;
  if (link.transport === "websocket") draft.ping(link);
  draft.effects.push({ kind: "apply", frame, recovered: true });
  if (link.transport !== "polling") draft.renewBy(Date.parse(frame.tokenExpiresAt));
  if (link === machine.main) {
    machine.misses = 0;
    scheduleProbe(draft);
  } else if (machine.spare?.role === "move") {
    promote(draft);
  }
}

/** What it brings was missed: until the answer to the ping that followed the welcome, or for a moment. */
function isCatchingUp(draft: Draft, link: Link): boolean {
  if (link.degraded) return true;
  return !link.answered && draft.now - (link.welcomedAt ?? 0) < draft.timing.catchUp;
}
