/** Calls each; one that throws is reported and keeps nobody else from being called. */
export function each<T>(items: Iterable<T>, call: (item: T) => void): void {
  for (const item of [...items]) {
    try {
      call(item);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** Gives the way to take it out again. */
export function add<T>(set: Set<T>, item: T): () => void {
  set.add(item);
  return () => set.delete(item);
}
