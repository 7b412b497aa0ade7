import { parsePoll } from "../protocol";
import { address, type Ending, type Opening, refusal, request, type Wire } from "./transport";

/** The last choice: it gets through where anything does. Says what a WebSocket would say. */
export function openPolling(opening: Opening): Wire {
  const abort = new AbortController();
  poll(opening, abort.signal)
    .catch((): Ending => [1006])
    .then(([code, retryAfter]) => {
      if (!abort.signal.aborted) opening.closed(code, retryAfter);
    });
  return {
    send() {},
    close: () => abort.abort(),
  };
}

async function poll(
  { url, getToken, cursor, poll: wait, frame }: Opening,
  signal: AbortSignal,
): Promise<Ending> {
  // Its own place, not the gate's: with a filtered token it passes what was kept back.
  let lastEventId = cursor;
  for (let first = true; ; first = false) {
    const token = await getToken();
    if (token === null) return [4401];
    // The first one is answered at once: it stands for the welcome.
    const query = { lastEventId, wait: first ? "0" : String(Math.round(wait / 1000)) };
    const response = await request(address(url, "/v1/poll", query), token, signal);
    if (!response.ok) return refusal(response);
    const answer = parsePoll(await response.json());
    if (signal.aborted || !answer) return [1006];
    const { resume, events } = answer;
    const place = {
      lastEventId: events.length > 0 ? (lastEventId ?? answer.lastEventId) : answer.lastEventId,
    };
    if (first) {
      frame({ frame: "welcome", resume, heartbeatMs: wait, tokenExpiresAt: "", ...place });
    } else if (resume === "lost") {
      frame({ frame: "resync", lastEventId: answer.lastEventId });
    }
    for (const event of events) frame(event);
    frame({ frame: "pong" });
    lastEventId = answer.lastEventId;
  }
}

/** Asks once why a connection could not be opened: browsers do not tell. The status, or 0 when nothing answers. */
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
    return { status: response.status, retryAfter };
  } catch {
    return { status: 0, retryAfter: undefined };
  }
}
