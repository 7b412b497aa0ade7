import { parseText } from "../protocol";
import { address, type Opening, type Wire } from "./transport";

/** The first choice. Browsers cannot send a header here: the token travels as a second subprotocol. */
export function openWebSocket({ url, token, cursor, frame, closed }: Opening): Wire {
  const target = address(url, "/v1/ws", { lastEventId: cursor });
  target.protocol = target.protocol.replace("http", "ws");
  let done = false;
  const finish = (code: number): void => {
    if (done) return;
    done = true;
    closed(code);
  };
  const socket = new WebSocket(target, ["realtime.v1", `bearer.${token}`]);
  socket.onmessage = ({ data }) => {
    const parsed = done ? undefined : parseText(data);
    if (parsed) frame(parsed);
  };
  socket.onclose = ({ code }) => finish(code);
  return {
    send(text) {
      // Before and after, `send` would throw.
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close() {
      // A dead socket may never say that it is closed; nobody waits for it.
      done = true;
      socket.close(1000);
    },
  };
}
