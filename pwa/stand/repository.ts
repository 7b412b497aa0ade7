import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** The root of the repository. */
export const ROOT = resolve(import.meta.dirname, "../..");

/** The built dashboard. */
export const DIST = join(ROOT, "pwa/dist");

/** A program that cargo has built: `gateway`, `loadtest`, `examples/stdin`. */
export function binary(name: string): string {
  const path = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target", "debug", name);
  if (existsSync(path)) return path;
  throw new Error(
    `${path} is missing; build it with: cargo build -p gateway -p loadtest -p publisher --examples`,
  );
}

/** The dashboard's folder, which must have been built. */
export function dist(): string {
  if (existsSync(join(DIST, "index.html"))) return DIST;
  throw new Error(`${DIST} is missing; build it with: npm run build`);
}
