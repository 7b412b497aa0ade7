import { createInterface } from "node:readline";
import type { EventDataByType } from "../src/realtime/events.generated";
import { Child } from "./child";
import { binary } from "./repository";

export type EventType = keyof EventDataByType;

export interface Published {
  readonly id: string;
  readonly duplicate: boolean;
}

/** Publishes through the library: its example `stdin` takes one event a line. */
export class Publisher {
  readonly #child: Child;
  readonly #waiting: ((answer: string) => void)[] = [];

  constructor(redis: string) {
    this.#child = Child.start("publisher", binary("examples/stdin"), [redis]);
    if (!this.#child.stdout) throw new Error("the publisher has no output");
    createInterface(this.#child.stdout).on("line", (line) => this.#waiting.shift()?.(line));
    void this.#child.exited.then(() => {
      for (const answer of this.#waiting.splice(0)) answer(JSON.stringify({ error: this.#child.output }));
    });
  }

  async publish<T extends EventType>(
    companyId: string,
    type: T,
    data: EventDataByType[T],
  ): Promise<Published> {
    const answer = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin?.write(`${JSON.stringify({ companyId, type, data })}\n`);
    });
    const published: Published | { error: string } = JSON.parse(answer);
    if ("error" in published) throw new Error(`${type} was not published: ${published.error}`);
    return published;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}
