/** How long anything may take before a test gives up: generous, since the machine may be busy. */
export const PATIENCE = 15_000;

/** Looks again and again until `look` neither throws nor gives `false`; gives up with the last thing that it saw. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T> | T,
  patience = PATIENCE,
): Promise<Exclude<T, false>> {
  const deadline = Date.now() + patience;
  for (;;) {
    let seen: unknown;
    try {
      const found = await look();
      if (found !== false) return found as Exclude<T, false>;
      seen = found;
    } catch (error) {
      seen = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what} did not happen in ${patience} ms; last seen: ${seen}`, { cause: seen });
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
