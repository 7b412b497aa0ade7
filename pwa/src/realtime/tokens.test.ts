import { expect, it } from "vitest";
import { readClaims, Tokens } from "./tokens";

const token = (claims: object): string => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;

it("reads what a token says about itself", () => {
  expect(readClaims(token({ exp: 12, sub: "Éloïse" }))).toEqual({ expiresAt: 12_000, filtered: false });
  expect(readClaims(token({ events: ["devis:*"] }))).toMatchObject({ filtered: true });
  expect(readClaims(token({ events: ["devis:*", "*"] }))).toMatchObject({ filtered: false });
  for (const wrong of ["", "a.b.c", "a..c", "x"]) {
    expect(readClaims(wrong)).toEqual({ expiresAt: undefined, filtered: false });
  }
});

it("asks one question at a time, and none while a token is good", async () => {
  let asked = 0;
  const tokens = new Tokens(
    async () => token({ exp: 100 + ++asked }),
    () => 0,
  );
  const [a, b] = await Promise.all([tokens.get(), tokens.get()]);
  expect([a === b, asked]).toEqual([true, 1]);
  await tokens.get();
  expect(asked).toBe(1);
  tokens.forget();
  await tokens.get();
  await tokens.renew();
  expect(asked).toBe(3);
});

it("asks again after a failure, and for a token that is about to expire", async () => {
  let asked = 0;
  const tokens = new Tokens(
    async () => {
      asked += 1;
      if (asked === 1) throw new Error("no network");
      return token({ exp: 20 });
    },
    () => 0,
  );
  await expect(tokens.get()).rejects.toThrow("no network");
  await tokens.get();
  await tokens.get();
  expect(asked).toBe(3);
});
