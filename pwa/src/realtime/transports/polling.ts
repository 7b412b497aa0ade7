import { before } from "../cursor";
import { type Delivery, type PollAnswer, parsePoll } from "../protocol";
import { address, byFetch, refusal, request, statusOf } from "./transport";

/** How long a poll waits at most while events come late, so that the end of that is known soon. */
const LATE_WAIT = 5_000;
/** The pause after an answer that came at once and brings nothing: a proxy, or a gateway that ails, may go on like that. */
const REST = 1_000;

/** The last choice: it gets through where anything does. Says what a WebSocket would say. */
export const openPolling = byFetch(async ({ url, getToken, cursor, poll: wait, frame }, signal) => {
  // Its own place, not the gate's: with a filtered token it passes what was kept back.
  let lastEventId = cursor;
  let delivery: Delivery = "live";
  for (let first = true; ; first = false) {
    const token = await getToken();
    if (token === null) return [4401];
    // The first one is answered at once: it stands for the welcome.
    const held = first ? 0 : Math.min(wait, delivery === "degraded" ? LATE_WAIT : wait);
    const asked = Date.now();
    const query = { lastEventId, wait: String(Math.round(held / 1000)) };
    const response = await request(address(url, "/v1/poll", query), token, signal);
    if (!response.ok) return refusal(response);
    const answer = parsePoll(await response.json());
    if (signal.aborted || !answer) return [1006];
    const { resume, events } = answer;
    const place = { lastEventId: beginning(answer, lastEventId) };
    if (first) {
      frame({ frame: "welcome", resume, heartbeatMs: wait, tokenExpiresAt: "", ...place });
    } else if (resume === "lost") {
      frame({ frame: "resync", ...place });
    }
    for (const event of events) frame(event);
    if (answer.delivery !== delivery) {
      delivery = answer.delivery;
      frame({ frame: "status", delivery });
    }
    frame({ frame: "pong" });
    lastEventId = answer.lastEventId;
    const isEmpty = events.length === 0 || resume === "lost";
    if (!first && isEmpty && Date.now() - asked < REST) await new Promise((done) => setTimeout(done, REST));
  }
});

/** Where what an answer brings begins. */
function beginning({ resume, events: [next], lastEventId }: PollAnswer, asked: string | undefined): string {
  if (!next) return lastEventId;
  return resume === "recovered" && asked !== undefined ? asked : before(next.id);
}

/** Asks once why a connection could not be opened: browsers do not tell. The status, or 0 when the gateway does not answer. */
export async function ask(
  url: string,
  token: string,
  timeout: number,
): Promise<{ readonly status: number; readonly retryAfter: number | undefined }> {
  try {
    const response = await request(
      address(url, "/v1/poll", { wait: "0" }),
      token,
      AbortSignal.timeout(timeout),
    );
    const [, retryAfter] = refusal(response);
    await response.body?.cancel();
    return { status: statusOf(response), retryAfter };
  } catch {
    return { status: 0, retryAfter: undefined };
  }
}
