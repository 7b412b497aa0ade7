/**
 * The frames of the wire, parsed at the door: `unknown` until then. Frames and members that are not known are ignored.
 * By hand, because a schema library would be a sixth of the client.
 */
export type Resume = "fresh" | "recovered" | "lost";
/** Whether events arrive as they happen. */
export type Delivery = "live" | "degraded";

/** A frame of the gateway. */
export type ServerFrame =
  | {
      readonly frame: "welcome";
      readonly lastEventId: string;
      readonly resume: Resume;
      readonly heartbeatMs: number;
      readonly tokenExpiresAt: string;
    }
  | EventFrame
  | { readonly frame: "heartbeat" | "pong" }
  | { readonly frame: "resync"; readonly lastEventId: string }
  | { readonly frame: "status"; readonly delivery: Delivery }
  | { readonly frame: "reconnect"; readonly afterMs: number }
  | { readonly frame: "error"; readonly code: string };

export interface EventFrame {
  readonly frame: "event";
  readonly id: string;
  readonly type: string;
  readonly companyId: string;
  readonly time: string;
  readonly data: unknown;
}

/** What a poll answers. */
export interface PollAnswer {
  readonly resume: Resume;
  readonly events: readonly EventFrame[];
  readonly lastEventId: string;
  readonly delivery: Delivery;
}

export type Check = (value: unknown) => boolean;
/** The members that an object must have. */
export type Form = Readonly<Record<string, Check>>;

export const text: Check = (value) => typeof value === "string";
export const count: Check = (value) => typeof value === "number" && value >= 0;
export const cursor: Check = (value) => typeof value === "string" && /^\d{1,20}-\d{1,20}$/.test(value);
export const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);

const isResume = oneOf("fresh", "recovered", "lost");

const FRAMES: { readonly [F in ServerFrame as F["frame"]]: Record<Exclude<keyof F, "frame">, Check> } = {
  welcome: { lastEventId: cursor, resume: isResume, heartbeatMs: count, tokenExpiresAt: text },
  event: { id: cursor, type: text, companyId: text, time: text, data: (value) => value !== undefined },
  heartbeat: {},
  pong: {},
  resync: { lastEventId: cursor },
  status: { delivery: oneOf("live", "degraded") },
  reconnect: { afterMs: count },
  error: { code: text },
};

/** The value, if it is an object with the members that the form for its `tag` asks for. */
export function parse<T>(value: unknown, tag: string, forms: Readonly<Record<string, Form>>): T | undefined {
  const members = Object(value) as Record<string, unknown>;
  const name = members[tag];
  if (typeof name !== "string" || !Object.hasOwn(forms, name)) return undefined;
  const checks = Object.entries(forms[name] ?? {});
  return checks.every(([member, check]) => check(members[member])) ? (value as T) : undefined;
}

/** `undefined` when it is not a frame that this client knows. */
export const parseFrame = (value: unknown): ServerFrame | undefined => parse(value, "frame", FRAMES);

/** A frame as text. */
export function parseText(text: unknown): ServerFrame | undefined {
  try {
    return typeof text === "string" ? parseFrame(JSON.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}

export function parsePoll(value: unknown): PollAnswer | undefined {
  const { events, resume, lastEventId, delivery } = Object(value) as Record<keyof PollAnswer, unknown>;
  if (!Array.isArray(events) || !isResume(resume) || !cursor(lastEventId)) return undefined;
  return {
    resume: resume as Resume,
    events: events.map(parseFrame).filter((frame) => frame?.frame === "event"),
    lastEventId: lastEventId as string,
    // Left out while all is well.
    delivery: delivery === "degraded" ? "degraded" : "live",
  };
}
