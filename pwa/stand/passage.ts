import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { freePort } from "./ports";

/**
 * What the network does: `up`; `down` cuts off whoever asks; `hole` takes everything and answers nothing.
 */
export type Network = "up" | "down" | "hole";

/**
 * What a proxy on the way does with WebSockets: `pass`; `strip` takes the `Upgrade` header out; `swallow` lets the
 * upgrade through and not one byte after it; `short` kills each after three seconds.
 */
export type WebSockets = "pass" | "strip" | "swallow" | "short";

/** Answers what is not for the gateway; says whether it did. */
export type Local = (request: IncomingMessage, response: ServerResponse) => boolean;

const SHORT_LIFE = 3_000;

/** Something that is under way between a client and the gateway. */
interface Relay {
  /** Ends it on both sides. */
  cut(): void;
  /** Carries nothing any more, and tells nobody. */
  mute(): void;
}

/** The way to a gateway: one HTTP front that passes everything on, WebSockets too, and can be told to misbehave. */
export class Passage {
  websockets: WebSockets = "pass";
  /** What is done with event streams: `swallow` begins them and lets nothing through. */
  streams: "pass" | "swallow" = "pass";
  #network: Network = "up";
  readonly #relays = new Set<Relay>();
  readonly #sockets = new Set<Socket>();
  #server: http.Server | undefined;

  constructor(
    /** `http://127.0.0.1:1234`. */
    private readonly upstream: string,
    private readonly host: string,
    private readonly port: number,
    private readonly local: Local = () => false,
  ) {}

  static async start(upstream: string, local?: Local): Promise<Passage> {
    const proxy = new Passage(upstream, "127.0.0.1", await freePort(), local);
    await proxy.listen();
    return proxy;
  }

  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  async listen(): Promise<void> {
    const server = http.createServer((request, response) => this.#request(request, response));
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, this.host, resolve);
    });
    this.#server = server;
  }

  /** Nobody listens any more; `listen` again comes back on the same port. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) =>
      this.#server ? this.#server.close(resolve) : resolve(undefined),
    );
    this.cut();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  get network(): Network {
    return this.#network;
  }

  set network(network: Network) {
    this.#network = network;
    if (network === "hole") this.mute();
    // What hung in the hole is lost when it closes.
    else this.cut();
  }

  /** Cuts everything that is under way; what comes next passes. */
  cut(): void {
    for (const relay of this.#relays) relay.cut();
  }

  /** What is under way is dead and nobody is told, as when a router forgets; what comes next passes. */
  mute(): void {
    for (const relay of this.#relays) relay.mute();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (this.local(request, response)) return;
    const { socket } = request;
    if (this.#network === "down") return void socket.destroy();
    const swallowed = this.streams === "swallow" && request.url?.startsWith("/v1/sse") === true;
    let muted = this.#network === "hole" || swallowed;
    if (swallowed) response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    const upstream = muted ? undefined : this.#ask(request, request.headers);
    const relay = this.#under({
      cut: () => {
        upstream?.destroy();
        socket.destroy();
      },
      mute: () => {
        muted = true;
      },
    });
    response.once("close", () => {
      upstream?.destroy();
      this.#relays.delete(relay);
    });
    upstream?.on("response", (answer) => {
      if (muted) return;
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined && name !== "connection") response.setHeader(name, value);
      }
      response.writeHead(answer.statusCode ?? 502);
      // Each piece as it comes: an event stream must not wait for a buffer to fill.
      response.flushHeaders();
      answer.on("data", (piece) => muted || response.write(piece));
      answer.on("end", () => muted || response.end());
      answer.on("error", () => muted || socket.destroy());
    });
    upstream?.on("error", () => {
      if (muted) return;
      if (response.headersSent) socket.destroy();
      else response.writeHead(502, { "content-type": "text/plain" }).end("the gateway does not answer\n");
    });
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    if (this.#network === "down") return void socket.destroy();
    if (this.#network === "hole") {
      const relay = this.#under({ cut: () => socket.destroy(), mute() {} });
      return void socket.once("close", () => this.#relays.delete(relay));
    }
    if (this.websockets === "strip") return this.#stripped(request, socket);
    const { hostname, port } = new URL(this.upstream);
    const upstream = connect(Number(port), hostname, () => {
      upstream.write(headOf(request));
      upstream.write(head);
      socket.pipe(upstream);
    });
    if (this.websockets === "swallow") swallow(upstream, socket);
    else upstream.pipe(socket);
    const relay = this.#under({
      cut: () => {
        upstream.destroy();
        socket.destroy();
      },
      mute: () => {
        socket.unpipe(upstream).resume();
        upstream.unpipe(socket).resume();
      },
    });
    const life = this.websockets === "short" ? setTimeout(relay.cut, SHORT_LIFE) : undefined;
    upstream.once("error", () =>
      socket.end("HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
    );
    upstream.once("close", () => this.#relays.has(relay) && socket.destroySoon());
    socket.once("close", () => {
      clearTimeout(life);
      upstream.destroy();
      this.#relays.delete(relay);
    });
  }

  /** What proxies do that know no WebSocket: the request goes on as any other. */
  #stripped(request: IncomingMessage, socket: Duplex): void {
    const { upgrade: _upgrade, connection: _connection, ...headers } = request.headers;
    const upstream = this.#ask(request, headers);
    upstream.on("error", () => socket.destroy());
    upstream.on("response", (answer) => {
      const lines = Object.entries(answer.headers).filter(
        ([name]) => !["connection", "upgrade"].includes(name),
      );
      const head = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`, "Connection: close"];
      socket.write(`${[...head, ...lines.map(([name, value]) => `${name}: ${value}`)].join("\r\n")}\r\n\r\n`);
      answer.pipe(socket);
    });
  }

  #ask(request: IncomingMessage, headers: http.IncomingHttpHeaders): http.ClientRequest {
    // The Host stays the page's: the gateway compares it with the Origin.
    const options = { method: request.method, headers: { ...headers, connection: "close" }, agent: false };
    const upstream = http.request(`${this.upstream}${request.url}`, options as http.RequestOptions);
    request.pipe(upstream);
    return upstream;
  }

  #under(relay: Relay): Relay {
    this.#relays.add(relay);
    return relay;
  }
}

function headOf(request: IncomingMessage): string {
  const lines = [`${request.method} ${request.url} HTTP/1.1`];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Hands on the answer to the upgrade and nothing that comes after it. */
function swallow(from: Socket, to: Socket): void {
  let answer = Buffer.alloc(0);
  let over = false;
  from.on("data", (piece) => {
    if (over) return;
    answer = Buffer.concat([answer, piece]);
    const end = answer.indexOf("\r\n\r\n");
    if (end < 0) return;
    over = true;
    to.write(answer.subarray(0, end + 4));
  });
}
