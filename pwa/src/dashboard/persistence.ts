/** The last known state, kept in IndexedDB for whoever is signed in: with it the page opens without a network. */
import { type DehydratedState, dehydrate, hydrate, type QueryClient } from "@tanstack/react-query";
import { clear, createStore, get, set, type UseStore } from "idb-keyval";
import type { Identity } from "../app/session";
import { attempt } from "../realtime/patience";
import { realtime as service } from "../services/websocket.service";

interface Saved {
  /** Of the form of what is saved: another one is not read. */
  readonly version: 2;
  /** When the connection was last live, unix milliseconds. */
  readonly liveAt: number;
  readonly state: DehydratedState;
}

/** On a busy day something changes every second, and all is written each time. */
const SAVE_AFTER_MS = 5_000;
const SAVE_EVERY_MS = 60_000;

export class Persistence {
  #key: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #liveAt = 0;
  #live = false;
  #store: UseStore | undefined;

  constructor(
    private readonly client: QueryClient,
    private readonly realtime = service,
  ) {}

  /** When the connection was last live, in this visit or the one before; 0 if never. */
  get liveAt(): number {
    return this.#live ? Date.now() : this.#liveAt;
  }

  /** Puts back what was known when this person was last here. */
  async restore({ userId, companyId }: Identity): Promise<void> {
    this.#key = JSON.stringify([companyId, userId]);
    const saved = await this.#try((store) => get<Saved>(this.#key ?? "", store));
    if (saved?.version !== 2) return;
    this.#liveAt = saved.liveAt;
    hydrate(this.client, saved.state);
  }

  /** Forgets everything, whoever it was of. */
  async forget(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#key = undefined;
    this.#liveAt = 0;
    this.client.clear();
    await this.#try((store) => clear(store));
  }

  /** Saves after changes, and when the page goes out of sight. Returns the way to stop that. */
  watch(): () => void {
    const hidden = () => document.visibilityState === "hidden" && this.#save();
    const hide = () => this.#save();
    const every = setInterval(() => this.#live && this.#save(), SAVE_EVERY_MS);
    const stops = [
      this.client.getQueryCache().subscribe(({ type }) => type === "updated" && this.#soon()),
      this.realtime.subscribe(() => {
        const live = this.realtime.getState().kind === "live";
        if (this.#live && !live) {
          this.#liveAt = Date.now();
          this.#soon();
        }
        this.#live = live;
      }),
      () => clearInterval(every),
      () => document.removeEventListener("visibilitychange", hidden),
      () => window.removeEventListener("pagehide", hide),
    ];
    document.addEventListener("visibilitychange", hidden);
    window.addEventListener("pagehide", hide);
    return () => {
      for (const stop of stops) stop();
    };
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#save(), SAVE_AFTER_MS);
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const key = this.#key;
    if (key === undefined) return;
    const saved: Saved = { version: 2, liveAt: this.liveAt, state: dehydrate(this.client) };
    void this.#try((store) => set(key, saved, store));
  }

  #try<T>(what: (store: UseStore) => Promise<T>): Promise<T | undefined> {
    return attempt(() => {
      this.#store ??= createStore("dashboard", "last-known");
      return what(this.#store);
    });
  }
}
