/** Openings that write down what they hear. */
import type { EventFrame, ServerFrame } from "../protocol";
import type { Opening } from "./transport";

export interface Heard {
  readonly frames: ServerFrame[];
  readonly closed: [number, number | undefined][];
}

export function opening(heard: Heard, more: Partial<Opening> = {}): Opening {
  return {
    url: "http://gateway",
    token: "secret",
    getToken: async () => "secret",
    cursor: "1-4",
    poll: 25_000,
    frame: (frame) => void heard.frames.push(frame),
    closed: (code, retryAfter) => void heard.closed.push([code, retryAfter]),
    ...more,
  };
}

export const EVENT: EventFrame = {
  frame: "event",
  id: "1-5",
  type: "a:b",
  companyId: "c",
  time: "t",
  data: {},
};
