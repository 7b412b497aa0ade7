import { backoff } from "../backoff";
import {
  connect,
  credit,
  type Draft,
  dropSpare,
  promote,
  scheduleProbe,
  scheduleRetry,
  signOut,
} from "./draft";
import { ABNORMAL, LADDER, type Link, NO_TOKEN } from "./state";

/** Welcomes that may stay away, and connections that may die young, before the next transport's turn. */
const MISSES = 2;
const DEATHS = 3;

/** A link has ended, or been given up. */
export function handleClosed(draft: Draft, id: number, code: number, retryAfter?: number): void {
  const { machine } = draft;
  if (code === 4403 && draft.links().some((link) => link.id === id)) return signOut(draft, "revoked");
  if (machine.spare?.id === id) return spareClosed(draft, code, retryAfter);
  if (machine.main?.id === id) mainClosed(draft, machine.main, code, retryAfter);
}

function mainClosed(draft: Draft, link: Link, code: number, retryAfter?: number): void {
  const { machine, now } = draft;
  const welcomed = link.welcomedAt !== undefined;
  const lived = credit(draft, link);
  machine.main = machine.moveAt = machine.probeAt = machine.renewAt = undefined;
  machine.triedAt = now;
  if (code === 4401) draft.effects.push({ kind: "forget-token" });
  if (machine.spare && (machine.spare.role === "move" || machine.spare.welcomedAt !== undefined)) {
    // What was to follow it does so now.
    if (machine.spare.welcomedAt === undefined) machine.attempt = Math.max(1, machine.attempt);
    return promote(draft);
  }
  dropSpare(draft);
  if (code === 4401) return refused(draft);
  if (code === 1008 || code === 1013 || code === 4429) return retryPolitely(draft, retryAfter);
  if (code === ABNORMAL && welcomed && !lived) {
    machine.deaths += 1;
    if (machine.deaths >= DEATHS && descend(draft)) return;
  }
  if (code !== NO_TOKEN && !welcomed && link.transport !== "polling") {
    machine.attempt += 1;
    machine.asking = true;
    draft.effects.push({ kind: "ask" });
    return;
  }
  retry(draft);
}

/** The replacement failed; the connection that there is goes on, unless it is doubted. */
function spareClosed(draft: Draft, code: number, retryAfter?: number): void {
  const { machine, now, random, timing } = draft;
  const { main, spare } = machine;
  machine.spare = undefined;
  if (code === 4401) draft.effects.push({ kind: "forget-token" });
  if (spare?.role === "move") {
    if (main?.suspect) {
      draft.close(main);
      return mainClosed(draft, main, code, retryAfter);
    }
    machine.attempt += 1;
    machine.moveAt = now + (retryAfter ?? 0) + backoff(machine.attempt, random(), timing.backoff);
    return;
  }
  if (machine.probeLevel + 1 < machine.level) {
    machine.probeLevel += 1;
    machine.probeAt = now;
  } else {
    machine.probes += 1;
    scheduleProbe(draft);
  }
}

/** Why the last attempt failed, as a plain request learned it. */
export function handleAsked(draft: Draft, status: number, retryAfter?: number): void {
  const { machine } = draft;
  if (!machine.asking) return;
  machine.asking = false;
  if (status === 401) {
    draft.effects.push({ kind: "forget-token" });
    return refused(draft);
  }
  if (status === 403) return signOut(draft, "revoked");
  if (status === 429 || status >= 500) return retryPolitely(draft, retryAfter);
  if (status === 200) {
    // The gateway is there: it is the way that is blocked.
    machine.misses += 1;
    if (machine.misses >= MISSES && descend(draft)) return;
  }
  retry(draft, false);
}

/** Goes one rung down and connects there; false on the last one. */
function descend(draft: Draft): boolean {
  const { machine } = draft;
  machine.misses = machine.deaths = 0;
  if (machine.level + 1 >= LADDER.length) return false;
  machine.level += 1;
  machine.probes = 0;
  machine.attempt = Math.max(1, machine.attempt);
  connect(draft);
  return true;
}

/** A fresh token once; if that is refused as well, only signing in helps. */
function refused(draft: Draft): void {
  const { machine } = draft;
  machine.refusals += 1;
  if (machine.refusals >= 2) return signOut(draft, "expired");
  machine.attempt = Math.max(1, machine.attempt);
  connect(draft);
}

function retry(draft: Draft, count = true): void {
  const { machine } = draft;
  if (count) machine.attempt += 1;
  scheduleRetry(draft, backoff(machine.attempt - 1, draft.random(), draft.timing.backoff));
}

/** The gateway has asked for room. */
function retryPolitely(draft: Draft, retryAfter = 0): void {
  const { machine, timing } = draft;
  machine.attempt += 1;
  const delay = backoff(machine.attempt, draft.random(), timing.backoff);
  scheduleRetry(draft, Math.max(retryAfter, timing.polite) + delay);
}
