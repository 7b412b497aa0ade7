import { createHmac, randomUUID } from "node:crypto";

export interface Claims {
  readonly sub: string;
  readonly companyId: string;
  /** Not for the gateway: the dashboard shows it. */
  readonly companyName?: string;
  readonly scope?: string;
  readonly events?: readonly string[];
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token that counts for so many seconds, signed as the gateway expects it (HS256). */
export function mint(secret: string, claims: Claims, seconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const body = { iat: now, exp: now + seconds, jti: randomUUID(), ...claims };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(body)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
