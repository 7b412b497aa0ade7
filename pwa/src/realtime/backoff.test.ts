import fc from "fast-check";
import { expect, it } from "vitest";
import { backoff, parseRetryAfter } from "./backoff";
import { TIMING } from "./timing";

it("backs off by full jitter between nothing and 30 s", () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const delay = backoff(attempt, random, TIMING.backoff);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(Math.min(30_000, 500 * 2 ** attempt));
    }),
  );
});

it("reads Retry-After in seconds and as a date", () => {
  expect(parseRetryAfter("5", 0)).toBe(5_000);
  expect(parseRetryAfter("Thu, 01 Jan 1970 00:00:09 GMT", 2_000)).toBe(7_000);
  expect(parseRetryAfter("Thu, 01 Jan 1970 00:00:09 GMT", 20_000)).toBe(0);
  expect(parseRetryAfter("soon", 0)).toBeUndefined();
  expect(parseRetryAfter(null, 0)).toBeUndefined();
});
