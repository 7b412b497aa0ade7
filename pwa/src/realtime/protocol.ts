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

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const count: Check = (value) => typeof value === "number" && value >= 0;
const cursor: Check = (value) => typeof value === "string" && /^\d{1,20}-\d{1,20}$/.test(value);
const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);

const resume = oneOf("fresh", "recovered", "lost");

/** The members that each frame must have. */
const FRAMES: {
  readonly [F in ServerFrame as F["frame"]]: Readonly<Record<Exclude<keyof F, "frame">, Check>>;
} = {
  welcome: { lastEventId: cursor, resume, heartbeatMs: count, tokenExpiresAt: text },
  event: { id: cursor, type: text, companyId: text, time: text, data: (value) => value !== undefined },
  heartbeat: {},
  pong: {},
  resync: { lastEventId: cursor },
  status: { delivery: oneOf("live", "degraded") },
  reconnect: { afterMs: count },
  error: { code: text },
};

function conforms(value: object, checks: Readonly<Record<string, Check>>): boolean {
  return Object.entries(checks).every(([name, check]) => check((value as Record<string, unknown>)[name]));
}

/** `undefined` when it is not a frame that this client knows. */
export function parseFrame(value: unknown): ServerFrame | undefined {
  if (typeof value !== "object" || value === null || !("frame" in value)) return undefined;
  const { frame } = value;
  if (typeof frame !== "string" || !Object.hasOwn(FRAMES, frame)) return undefined;
  return conforms(value, FRAMES[frame as ServerFrame["frame"]]) ? (value as ServerFrame) : undefined;
}

/** A frame as text. */
export function parseText(text: unknown): ServerFrame | undefined {
  try {
    return typeof text === "string" ? parseFrame(JSON.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}

export function parsePoll(value: unknown): PollAnswer | undefined {
  if (typeof value !== "object" || value === null || !("events" in value)) return undefined;
  const { events } = value;
  if (!Array.isArray(events) || !conforms(value, { resume, lastEventId: cursor })) return undefined;
  const frames = events.map(parseFrame).filter((frame) => frame?.frame === "event");
  // Left out while all is well.
  const isDegraded = "delivery" in value && value.delivery === "degraded";
  return { ...(value as PollAnswer), events: frames, delivery: isDegraded ? "degraded" : "live" };
}
