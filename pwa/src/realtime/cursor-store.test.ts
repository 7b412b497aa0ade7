import * as idb from "idb-keyval";
import { afterEach, expect, it, vi } from "vitest";
import { browserStore, CursorWriter } from "./cursor-store";

vi.mock("idb-keyval", { spy: true });
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("falls back to memory where the browser keeps nothing", async () => {
  // There is no IndexedDB here.
  const store = browserStore();
  expect(await store.read("a")).toBeUndefined();
  await store.write("a", "1-2");
  expect(await store.read("a")).toBe("1-2");
  expect(await store.read("b")).toBeUndefined();
  await store.clear("a");
  expect(await store.read("a")).toBeUndefined();
});

it("falls back to memory where the browser does not answer", async () => {
  vi.useFakeTimers();
  const never = () => new Promise<never>(() => {});
  vi.mocked(idb.get).mockImplementation(never);
  vi.mocked(idb.set).mockImplementation(never);
  vi.mocked(idb.del).mockImplementation(never);
  const store = browserStore();
  const done: unknown[] = [];
  const writer = new CursorWriter(store, "a");
  writer.write("1-2");
  const read = store.read("a").then((cursor) => done.push(cursor));
  void read.then(() => writer.clear()).then(() => done.push("cleared"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(done).toEqual(["1-2", "cleared"]);
});

it("writes the newest of a burst, and nothing once it is cleared", async () => {
  const written: string[] = [];
  const writer = new CursorWriter(
    {
      read: async () => undefined,
      write: async (_, cursor) => void written.push(cursor),
      clear: async () => void written.push("cleared"),
    },
    "key",
  );
  for (const cursor of ["1-1", "1-2", "1-3"]) writer.write(cursor);
  const cleared = writer.clear();
  writer.write("1-4");
  await cleared;
  expect(written).toEqual(["1-1", "cleared"]);
});
