import { del, get, set } from "idb-keyval";
import { parseCursor } from "./cursor";
import { attempt } from "./patience";

/** Where the cursor stays between two visits. Never throws: a browser that keeps nothing begins afresh. */
export interface CursorStore {
  read(key: string): Promise<string | undefined>;
  write(key: string, cursor: string): Promise<void>;
  clear(key: string): Promise<void>;
}

/** IndexedDB, or memory where that is refused or does not answer. */
export function browserStore(): CursorStore {
  const memory = new Map<string, string>();
  return {
    async read(key) {
      const kept = await attempt(() => get<unknown>(key));
      return typeof kept === "string" && parseCursor(kept) ? kept : memory.get(key);
    },
    async write(key, cursor) {
      memory.set(key, cursor);
      await attempt(() => set(key, cursor));
    },
    async clear(key) {
      memory.delete(key);
      await attempt(() => del(key));
    },
  };
}

/** Writes the newest of a row of cursors, one at a time, so that a burst costs two writes. */
export class CursorWriter {
  #next: string | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(
    private readonly store: CursorStore,
    private readonly key: string,
  ) {}

  write(cursor: string): void {
    if (this.#closed) return;
    this.#next = cursor;
    this.#writing ??= this.#run();
  }

  /** Forgets what is kept, behind whatever is being written; nothing is written after it. */
  async clear(): Promise<void> {
    this.#closed = true;
    this.#next = undefined;
    await this.#writing;
    await this.store.clear(this.key);
  }

  async #run(): Promise<void> {
    while (this.#next !== undefined) {
      const cursor = this.#next;
      this.#next = undefined;
      await this.store.write(this.key, cursor);
    }
    this.#writing = undefined;
  }
}
