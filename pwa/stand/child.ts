import { type ChildProcess, spawn } from "node:child_process";

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its output goes to the terminal instead of being kept. */
  readonly loud?: boolean;
}

/** Lines kept of a child's output, for whoever has to find out why it failed. */
const LINES = 400;

/** A process of ours. It dies with this one, however this one dies. */
export class Child {
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  #over = false;

  private constructor(
    readonly name: string,
    process: ChildProcess,
  ) {
    this.#process = process;
    this.exited = new Promise((resolve) => {
      const end = (code: number | null) => {
        this.#over = true;
        resolve(code);
      };
      process.once("exit", end);
      process.once("error", (error) => {
        this.#lines.push(String(error));
        end(null);
      });
    });
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#lines.push(text);
        if (this.#lines.length > LINES) this.#lines.shift();
      });
    }
  }

  static start(name: string, command: string, args: readonly string[], options: ChildOptions = {}): Child {
    // In a group of its own: Ctrl-C is for us, who end the children in their order.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", command, ...args], {
      env: { PATH: process.env.PATH, ...options.env },
      stdio: ["pipe", options.loud ? "inherit" : "pipe", options.loud ? "inherit" : "pipe"],
      detached: true,
    });
    return new Child(name, child);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get over(): boolean {
    return this.#over;
  }

  get stdin() {
    return this.#process.stdin;
  }

  get stdout() {
    return this.#process.stdout;
  }

  /** The end of what it said. */
  get output(): string {
    return this.#lines.join("").trimEnd();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Asks it to end, and ends it when it does not within `patience` milliseconds. */
  async stop(patience = 2_000): Promise<void> {
    if (this.over) return;
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), patience);
    await this.exited;
    clearTimeout(timer);
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
  }

  /** Waits until it is ready; throws with what it said when it ends before. */
  async until(ready: () => Promise<boolean>, patience = 10_000): Promise<void> {
    const deadline = Date.now() + patience;
    while (!(await ready().catch(() => false))) {
      if (this.over) throw new Error(`${this.name} ended:\n${this.output}`);
      if (Date.now() > deadline)
        throw new Error(`${this.name} is not ready after ${patience} ms:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
