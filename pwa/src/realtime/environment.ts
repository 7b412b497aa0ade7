import type { Timing } from "./timing";

/** What the client takes from the world around it; everything has a default, tests bring their own. */
export interface Environment {
  /** Overrides of {@link TIMING}. */
  readonly timing: Partial<Timing>;
}
