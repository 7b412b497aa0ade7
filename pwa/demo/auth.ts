/**
 * What the host application does in production: it knows who is signed in and gives out tokens. Here everybody who can
 * reach the address is the owner; it is a demonstration.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { mint } from "../stand/token";

const COOKIE = "session";
const SIGNED_IN = "patron";
const SIGNED_OUT = "none";
const MONTH = 30 * 24 * 3600;

export interface Owner {
  readonly userId: string;
  readonly companyId: string;
  /** As the page shows it. */
  readonly companyName?: string;
}

export class Auth {
  /** How long the next token counts. */
  seconds: number;
  /** What comes of asking for a token: one, `refused` (401), or an error that passes (`broken`, 503). */
  tokens: "given" | "refused" | "broken" = "given";
  /** Tokens given so far. */
  given = 0;

  constructor(
    private readonly secret: string,
    readonly owner: Owner,
    seconds = 600,
  ) {
    this.seconds = seconds;
  }

  /** `/auth/*`, and a first visit: whoever comes without a session is given one. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { method, url } = request;
    response.setHeader("Cache-Control", "no-store");
    if (url === "/auth/token" && method === "GET") this.#token(request, response);
    else if (url === "/auth/session" && method === "POST") sign(response, SIGNED_IN).writeHead(204).end();
    else if (url === "/auth/session" && method === "DELETE") sign(response, SIGNED_OUT).writeHead(204).end();
    else if (url?.startsWith("/auth/")) response.writeHead(404).end();
    else {
      response.removeHeader("Cache-Control");
      if (request.headers["sec-fetch-dest"] === "document" && !sessionOf(request)) sign(response, SIGNED_IN);
      return false;
    }
    request.resume();
    return true;
  };

  /** A token as the page would get it. */
  mint(): string {
    const { userId: sub, ...company } = this.owner;
    return mint(this.secret, { sub, ...company }, this.seconds);
  }

  #token(request: IncomingMessage, response: ServerResponse): void {
    if (this.tokens === "broken") return void response.writeHead(503).end();
    if (this.tokens === "refused" || sessionOf(request) !== SIGNED_IN)
      return void response.writeHead(401).end();
    this.given += 1;
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ token: this.mint() }));
  }
}

function sign(response: ServerResponse, session: string): ServerResponse {
  return response.setHeader(
    "Set-Cookie",
    `${COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${MONTH}`,
  );
}

function sessionOf(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([name]) => name === COOKIE)?.[1];
}
