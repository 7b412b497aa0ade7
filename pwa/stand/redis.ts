import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child";
import { freePort } from "./ports";

/** A `redis-server` of ours, in memory. */
export class Redis {
  private constructor(
    private readonly child: Child,
    private readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Redis> {
    const [port, folder] = await Promise.all([freePort(), mkdtemp(join(tmpdir(), "redis-"))]);
    const settings = { port, bind: "127.0.0.1", dir: folder, save: "", appendonly: "no" };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const redis = new Redis(Child.start("redis-server", "redis-server", args), port, folder);
    await redis.child.until(async () => (await redis.command("PING")) === "+PONG");
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Loses everything that it knows. */
  async wipe(): Promise<void> {
    await this.command("FLUSHALL");
  }

  /** The first line of the answer to a command. */
  command(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1", () => socket.write(`${text}\r\n`));
      socket.setTimeout(5_000, () => socket.destroy(new Error(`${text}: no answer`)));
      socket.once("error", reject);
      socket.once("data", (answer) => {
        socket.destroy();
        resolve(answer.toString().split("\r\n")[0] ?? "");
      });
    });
  }

  /** Stops answering, as a machine out of breath does. */
  pause(): void {
    this.child.signal("SIGSTOP");
  }

  unpause(): void {
    this.child.signal("SIGCONT");
  }

  async stop(): Promise<void> {
    await this.child.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
