import type { Transport } from "../api";
import type { EventFrame, ServerFrame } from "../protocol";
import type { Opener, Opening } from "../transports";
import type { FakeClock } from "./clock";

const HEARTBEAT = 25_000;

/** A gateway in memory: one company's log, and whoever is connected. */
export class FakeGateway {
  readonly #clock: FakeClock;
  readonly log: EventFrame[] = [];
  readonly connections = new Set<{ readonly transport: Transport; readonly opening: Opening }>();
  /** Which transports the network lets through. */
  readonly blocked = new Set<Transport>();
  up = true;
  opened = 0;

  readonly openers: Readonly<Record<Transport, Opener>> = {
    websocket: (opening) => this.#open("websocket", opening),
    sse: (opening) => this.#open("sse", opening),
    polling: (opening) => this.#open("polling", opening),
  };

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  readonly ask = async () => ({ status: this.up ? 200 : 0, retryAfter: undefined });

  publish(): void {
    const seq = this.log.length + 1;
    const event: EventFrame = {
      frame: "event",
      id: `1700000000000-${seq}`,
      type: "message:received",
      companyId: "acme",
      time: "2026-11-22T10:00:00Z",
      data: { seq },
    };
    this.log.push(event);
    if (this.up) this.say(event);
  }

  say(frame: ServerFrame): void {
    for (const { opening } of [...this.connections]) opening.frame(frame);
  }

  /** Ends every connection. */
  cut(code = 1006): void {
    for (const connection of [...this.connections]) {
      this.connections.delete(connection);
      connection.opening.closed(code);
    }
  }

  #open(transport: Transport, opening: Opening) {
    const connection = { transport, opening };
    this.opened += 1;
    let isClosed = false;
    queueMicrotask(() => {
      if (isClosed) return;
      if (!this.up || this.blocked.has(transport)) return opening.closed(1006);
      this.connections.add(connection);
      this.#welcome(opening);
      const beat = () => {
        if (!this.connections.has(connection)) return;
        opening.frame({ frame: "heartbeat" });
        this.#clock.setTimer(beat, HEARTBEAT);
      };
      this.#clock.setTimer(beat, HEARTBEAT);
    });
    return {
      send: (text: string) => {
        if (!text.includes("ping")) return;
        queueMicrotask(() => {
          if (this.connections.has(connection)) opening.frame({ frame: "pong" });
        });
      },
      close: () => {
        isClosed = true;
        this.connections.delete(connection);
      },
    };
  }

  #welcome({ cursor, frame }: Opening): void {
    const seen = cursor === undefined ? this.log.length : Number(cursor.split("-")[1]);
    frame({
      frame: "welcome",
      resume: cursor === undefined ? "fresh" : "recovered",
      lastEventId: cursor ?? `1700000000000-${seen}`,
      heartbeatMs: HEARTBEAT,
      tokenExpiresAt: "2099-01-01T00:00:00Z",
    });
    for (const event of this.log.slice(seen)) frame(event);
  }
}
