/** What a token says about itself; the gateway is the one that checks it. */
export interface Claims {
  /** Unix milliseconds. */
  readonly expiresAt: number | undefined;
  /** It lets only some types of events through. */
  readonly filtered: boolean;
}

export function readClaims(token: string): Claims {
  try {
    const text = atob((token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/"));
    const { exp, events }: { exp?: unknown; events?: unknown } = JSON.parse(text);
    return {
      expiresAt: typeof exp === "number" ? exp * 1000 : undefined,
      filtered: Array.isArray(events) && !events.includes("*"),
    };
  } catch {
    return { expiresAt: undefined, filtered: false };
  }
}

/** A token that is kept is used again while it is valid for this much longer. */
const SPARE = 30_000;

/** The one place that asks the application for tokens: one question at a time, and none while a token is good. */
export class Tokens {
  #token: string | undefined;
  #asking: Promise<string | null> | undefined;

  constructor(
    private readonly source: () => Promise<string | null>,
    private readonly now: () => number,
  ) {}

  /** The last one, if it was not refused. */
  get current(): string | undefined {
    return this.#token;
  }

  get claims(): Claims {
    return readClaims(this.#token ?? "");
  }

  get(): Promise<string | null> {
    const { expiresAt } = this.claims;
    if (this.#token !== undefined && expiresAt !== undefined && expiresAt - this.now() > SPARE) {
      return Promise.resolve(this.#token);
    }
    return this.renew();
  }

  renew(): Promise<string | null> {
    this.#asking ??= Promise.resolve()
      .then(this.source)
      .then((token) => {
        this.#token = token ?? undefined;
        return token;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  /** The gateway refused it. */
  forget(): void {
    this.#token = undefined;
  }
}
