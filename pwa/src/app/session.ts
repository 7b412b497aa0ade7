/** Who is signed in. Asks the host application for tokens; the token's claims say whose page this is. */
import * as v from "valibot";
import { BROWSER_TIMERS, within } from "../realtime/patience";

export interface Identity {
  readonly userId: string;
  readonly companyId: string;
  /** As shown; the host application may put `companyName` into its tokens. */
  readonly companyName: string;
}

export type SignedOutReason = "expired" | "revoked" | "signed-out";

export type Session =
  | { readonly kind: "starting" }
  | { readonly kind: "signed-in"; readonly identity: Identity }
  | { readonly kind: "signed-out"; readonly reason?: SignedOutReason }
  /** The host application cannot be asked, and nothing is known from before. */
  | { readonly kind: "unreachable" };

/** What to do when somebody comes or goes; awaited before the session says so. */
export interface SessionHooks {
  enter(identity: Identity): Promise<void>;
  /** `everywhere`: the person signed out here, so the other tabs are to follow. */
  leave(identity: Identity | undefined, everywhere: boolean): Promise<void>;
}

const IDENTITY_KEY = "identity";
const LEAVING_KEY = "signing-out";
/** A token that has less than this left is not used for a fetch. */
const SPARE_MS = 10_000;

const OTHERS_FIRST_MS = 500;
/** The host that has not answered by then does not: over a network that is gone a request may hang for minutes. */
const PATIENCE_MS = 8_000;

const identitySchema = v.object({ userId: v.string(), companyId: v.string(), companyName: v.string() });
const claimsSchema = v.object({
  sub: v.string(),
  companyId: v.string(),
  exp: v.number(),
  companyName: v.optional(v.string()),
});

export class SessionStore {
  #session: Session = { kind: "starting" };
  #identity: Identity | undefined;
  #hooks: SessionHooks = { enter: async () => {}, leave: async () => {} };
  #token: { text: string; expiresAt: number } | undefined;
  #asking: Promise<string | null> | undefined;
  /** Comings and goings, one after the other: none overtakes another. */
  #turn: Promise<void> = Promise.resolve();
  /** How often somebody left; a token that was asked for before is nobody's. */
  #endings = 0;
  /** What is written to the storage can be read there. */
  #isKept = false;
  readonly #listeners = new Set<() => void>();

  readonly getSnapshot = (): Session => this.#session;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Opens with what is known from before, at once; else asks. */
  async start(hooks: SessionHooks): Promise<void> {
    this.#hooks = hooks;
    if (read(LEAVING_KEY) !== null) await this.#endOnServer();
    const known = parseIdentity(read(IDENTITY_KEY));
    if (known) return this.#enter(known);
    await this.resume();
  }

  /** Asks whether somebody is signed in. */
  async resume(): Promise<void> {
    if (read(LEAVING_KEY) !== null) return this.end(undefined);
    try {
      if ((await this.getToken()) === null) await this.end(undefined);
    } catch {
      if (!this.#identity) this.#set({ kind: "unreachable" });
    }
  }

  async signIn(): Promise<"ok" | "refused" | "failed"> {
    try {
      const headers = { "content-type": "application/json" };
      const response = await request("/auth/session", { method: "POST", headers, body: "{}" });
      if (response.status === 401 || response.status === 403) return "refused";
      if (!response.ok) return "failed";
      write(LEAVING_KEY, null);
      return (await this.getToken()) === null ? "refused" : "ok";
    } catch {
      return "failed";
    }
  }

  /** Says whether the server knows it already; if not, it is told at the next start. */
  async signOut(): Promise<boolean> {
    write(LEAVING_KEY, "1");
    await this.end("signed-out", true);
    return this.#endOnServer();
  }

  /** The page is nobody's from here on. */
  end(reason: SignedOutReason | undefined, everywhere = false): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#session.kind === "signed-out") return;
      const identity = this.#identity;
      this.#endings += 1;
      this.#identity = this.#token = this.#asking = undefined;
      this.#set(reason === undefined ? { kind: "signed-out" } : { kind: "signed-out", reason });
      write(IDENTITY_KEY, null);
      await this.#hooks.leave(identity, everywhere);
    });
  }

  /** A new token, `null` when the person has to sign in again. Rejects when that cannot be told now. */
  readonly getToken = (): Promise<string | null> => {
    if (this.#asking) return this.#asking;
    const asking = this.#ask().finally(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    this.#asking = asking;
    return asking;
  };

  /** A fetch from the gateway in the name of whoever is signed in. */
  async fetch(path: string, init: RequestInit): Promise<Response> {
    const withToken = async (token: string | null) => {
      if (token === null) return new Response(null, { status: 401 });
      return fetch(path, { ...init, headers: { authorization: `Bearer ${token}` }, cache: "no-store" });
    };
    const kept = this.#token && this.#token.expiresAt - Date.now() > SPARE_MS ? this.#token.text : undefined;
    const response = await withToken(kept ?? (await this.getToken()));
    // The one that was kept may have been revoked since.
    return response.status === 401 && kept !== undefined ? withToken(await this.getToken()) : response;
  }

  /** Follows the other tabs. Returns the way to stop that. */
  watch(): () => void {
    const changed = ({ key, newValue }: StorageEvent) => {
      if (key !== IDENTITY_KEY) return;
      if (newValue !== null) void this.resume();
      // The realtime client says the same with its reason; it goes first.
      else setTimeout(() => read(IDENTITY_KEY) ?? this.end("signed-out"), OTHERS_FIRST_MS);
    };
    // A page in the back/forward cache is told nothing, and holds a token that still counts.
    const restored = ({ persisted }: PageTransitionEvent) => {
      if (!persisted || !this.#isKept || !this.#identity) return;
      const known = parseIdentity(read(IDENTITY_KEY));
      if (!known) void this.end("signed-out");
      else if (!same(this.#identity, known)) void this.resume();
    };
    window.addEventListener("storage", changed);
    window.addEventListener("pageshow", restored);
    return () => {
      window.removeEventListener("storage", changed);
      window.removeEventListener("pageshow", restored);
    };
  }

  async #ask(): Promise<string | null> {
    const endings = this.#endings;
    const isOver = () => endings !== this.#endings;
    const response = await request("/auth/token", { headers: { accept: "application/json" } });
    if (response.status === 401) return null;
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const { token } = v.parse(v.object({ token: v.string() }), await response.json());
    if (isOver()) return null;
    const claims = v.parse(claimsSchema, decodeClaims(token));
    this.#token = { text: token, expiresAt: claims.exp * 1000 };
    const identity = {
      userId: claims.sub,
      companyId: claims.companyId,
      companyName: claims.companyName ?? readable(claims.companyId),
    };
    if (read(LEAVING_KEY) === null && !same(this.#identity, identity)) await this.#enter(identity, isOver);
    return isOver() ? null : token;
  }

  #enter(identity: Identity, isOver = () => false): Promise<void> {
    return this.#inTurn(async () => {
      if (isOver()) return;
      const before = this.#identity;
      this.#identity = identity;
      if (before) await this.#hooks.leave(before, false);
      await this.#hooks.enter(identity);
      write(IDENTITY_KEY, JSON.stringify(identity));
      this.#isKept = read(IDENTITY_KEY) !== null;
      this.#set({ kind: "signed-in", identity });
    });
  }

  #inTurn(what: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(what);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #endOnServer(): Promise<boolean> {
    try {
      const response = await request("/auth/session", { method: "DELETE" });
      if (!response.ok && response.status !== 401) return false;
      write(LEAVING_KEY, null);
      return true;
    } catch {
      return false;
    }
  }

  #set(session: Session): void {
    this.#session = session;
    for (const listener of this.#listeners) listener();
  }
}

/** A request to the host application. */
function request(path: string, init: RequestInit): Promise<Response> {
  return within(fetch(path, { cache: "no-store", ...init }), PATIENCE_MS, BROWSER_TIMERS);
}

function same(a: Identity | undefined, b: Identity): boolean {
  return a?.userId === b.userId && a.companyId === b.companyId;
}

/** `plomberie-lefevre` -> `Plomberie lefevre` */
function readable(companyId: string): string {
  const words = companyId.replace(/[-_]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The claims as they are; checking them is the gateway's business. */
function decodeClaims(token: string): unknown {
  const part = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

function parseIdentity(text: string | null): Identity | undefined {
  try {
    const parsed = v.safeParse(identitySchema, JSON.parse(text ?? "null"));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** Storage may be forbidden (private windows); then nothing is remembered. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // As above.
  }
}

export const session = new SessionStore();
