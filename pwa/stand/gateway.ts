import { Child } from "./child";
import { freePort } from "./ports";
import { binary } from "./repository";

export interface GatewayOptions {
  readonly redis: string;
  readonly secret: string;
  /** The folder that it serves at `/`. */
  readonly pages?: string;
  readonly heartbeatSeconds?: number;
  /** `127.0.0.1:9090`; otherwise a free port. */
  readonly admin?: string;
  /** Its log goes to the terminal. */
  readonly loud?: boolean;
}

/** The gateway as a process, as an operator runs it. A restart comes back on the same ports. */
export class Gateway {
  #child: Child;

  private constructor(
    private readonly port: number,
    private readonly admin: string,
    private readonly options: GatewayOptions,
  ) {
    this.#child = this.#launch();
  }

  static async start(options: GatewayOptions): Promise<Gateway> {
    const gateway = new Gateway(await freePort(), options.admin ?? `127.0.0.1:${await freePort()}`, options);
    await gateway.ready();
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get adminUrl(): string {
    return `http://${this.admin}`;
  }

  /** What it said last. */
  get log(): string {
    return this.#child.output;
  }

  /** Ends when the process does. */
  get exited(): Promise<number | null> {
    return this.#child.exited;
  }

  /** Dies at once, without a word to anybody. */
  async kill(): Promise<void> {
    await this.#child.kill();
  }

  /** Starts again after `kill`. */
  async startAgain(): Promise<void> {
    this.#child = this.#launch();
    await this.ready();
  }

  /** Leaves as in a rollout: tells everybody to go elsewhere. */
  async stop(): Promise<void> {
    await this.#child.stop(8_000);
  }

  /** Stops in its tracks; sockets stay open and silent. */
  pause(): void {
    this.#child.signal("SIGSTOP");
  }

  unpause(): void {
    this.#child.signal("SIGCONT");
  }

  async ready(): Promise<void> {
    await this.#child.until(async () => (await fetch(`${this.adminUrl}/readyz`)).ok);
  }

  /** One series: `gateway_connections{state="active"}`. 0 when it has not appeared yet. */
  async metric(series: string): Promise<number> {
    const text = await (await fetch(`${this.adminUrl}/metrics`)).text();
    const line = text.split("\n").find((line) => line.startsWith(`${series} `));
    return line ? Number(line.slice(series.length + 1)) : 0;
  }

  /** Connections held now, whatever their transport. */
  connections(): Promise<number> {
    return this.metric('gateway_connections{state="active"}');
  }

  /** WebSockets let in since it was started. */
  websockets(): Promise<number> {
    return this.metric("gateway_sessions_accepted_total");
  }

  #launch(): Child {
    const { redis, secret, pages, heartbeatSeconds, loud } = this.options;
    return Child.start("gateway", binary("gateway"), [], {
      loud: loud ?? false,
      env: {
        GATEWAY_LISTEN: `127.0.0.1:${this.port}`,
        GATEWAY_ADMIN_LISTEN: this.admin,
        GATEWAY_REDIS_URL: redis,
        GATEWAY_JWT_SECRET: secret,
        GATEWAY_DRAIN_SECS: "1",
        GATEWAY_LOG: process.env.GATEWAY_LOG ?? (loud ? "warn" : "info"),
        ...(pages && { GATEWAY_STATIC_DIR: pages }),
        ...(heartbeatSeconds && { GATEWAY_HEARTBEAT_SECS: String(heartbeatSeconds) }),
      },
    });
  }
}
