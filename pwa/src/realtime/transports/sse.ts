import { parseText } from "../protocol";
import { eventParser } from "./event-stream";
import { address, byFetch, refusal, request } from "./transport";

/** The codes that an `error` frame at a stream's end names; a stream has none of its own. */
const ENDINGS: Record<string, number> = {
  token_expired: 4401,
  forbidden: 4403,
  slow_consumer: 4408,
  too_many_connections: 4429,
  policy_violation: 1008,
  overloaded: 1013,
  restart: 1012,
  going_away: 1001,
};

/** The second choice, by `fetch`: an `EventSource` cannot send the token. */
export const openEventStream = byFetch(async ({ url, token, cursor, frame }, signal) => {
  const response = await request(address(url, "/v1/sse", { lastEventId: cursor }), token, signal);
  if (!response.ok || !response.body) return refusal(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parse = eventParser();
  let code = 1006;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return [code];
    for (const data of parse(value)) {
      const parsed = parseText(data);
      if (signal.aborted || !parsed) continue;
      if (parsed.frame === "error") code = ENDINGS[parsed.code] ?? code;
      if (parsed.frame === "reconnect") code = 1012;
      frame(parsed);
    }
  }
});
