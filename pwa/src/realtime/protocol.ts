/** The frames of the wire, parsed at the door: `unknown` until then. What is not known is ignored. */
import * as v from "valibot";

const cursor = v.pipe(v.string(), v.regex(/^\d{1,20}-\d{1,20}$/));
const resume = v.picklist(["fresh", "recovered", "lost"]);

const serverFrame = v.variant("frame", [
  v.object({
    frame: v.literal("welcome"),
    lastEventId: cursor,
    resume,
    heartbeatMs: v.number(),
    tokenExpiresAt: v.string(),
  }),
  v.object({
    frame: v.literal("event"),
    id: cursor,
    type: v.string(),
    companyId: v.string(),
    time: v.string(),
    data: v.unknown(),
  }),
  v.object({ frame: v.literal("heartbeat") }),
  v.object({ frame: v.literal("resync"), lastEventId: cursor }),
  v.object({ frame: v.literal("status"), delivery: v.picklist(["live", "degraded"]) }),
  v.object({ frame: v.literal("reconnect"), afterMs: v.number() }),
  v.object({ frame: v.literal("error"), code: v.string() }),
  v.object({ frame: v.literal("pong") }),
]);

const pollAnswer = v.object({ resume, events: v.array(v.unknown()), lastEventId: cursor });

/** A frame of the gateway. */
export type ServerFrame = v.InferOutput<typeof serverFrame>;
export type EventFrame = Extract<ServerFrame, { frame: "event" }>;
/** What a poll answers. */
export interface PollAnswer {
  readonly resume: v.InferOutput<typeof resume>;
  readonly events: readonly EventFrame[];
  readonly lastEventId: string;
}

/** `undefined` when it is not a frame that this client knows. */
export function parseFrame(value: unknown): ServerFrame | undefined {
  const parsed = v.safeParse(serverFrame, value);
  return parsed.success ? parsed.output : undefined;
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
  const parsed = v.safeParse(pollAnswer, value);
  if (!parsed.success) return undefined;
  const events = parsed.output.events.map(parseFrame).filter((frame) => frame?.frame === "event");
  return { ...parsed.output, events };
}
