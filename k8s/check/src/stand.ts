import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { Child } from "../../../pwa/stand/child";
import { Gateway } from "../../../pwa/stand/gateway";
import { freePort } from "../../../pwa/stand/ports";
import { Redis } from "../../../pwa/stand/redis";
import { mint } from "../../../pwa/stand/token";

/** What the manifests' PodMonitor puts beside each series. */
export const TARGET = {
  namespace: "realtime",
  pod: "gateway-0",
  container: "gateway",
  job: "realtime/gateway",
};
const SECRET = "a secret that is long enough for HS256";

/** One series of an answer, and its value now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A Redis, a gateway and a Prometheus that scrapes it, all of them real. */
export class Stand {
  readonly #sockets: Socket[] = [];
  #asked = 0;

  private constructor(
    readonly redis: Redis,
    readonly gateway: Gateway,
    private readonly prometheus: Child,
    private readonly url: string,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Stand> {
    const redis = await Redis.start();
    const gateway = await Gateway.start({ redis: redis.url, secret: SECRET });
    const [folder, port] = [mkdtempSync(join(tmpdir(), "prometheus-")), await freePort()];
    const [, target] = gateway.adminUrl.split("//");
    const scrape = { job_name: "gateway", static_configs: [{ targets: [target], labels: TARGET }] };
    const config = { global: { scrape_interval: "1s", scrape_timeout: "1s" }, scrape_configs: [scrape] };
    writeFileSync(join(folder, "prometheus.yaml"), stringify(config));
    const prometheus = Child.start("prometheus", "prometheus", [
      `--config.file=${folder}/prometheus.yaml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=warn",
    ]);
    const url = `http://127.0.0.1:${port}`;
    await prometheus.until(async () => (await fetch(`${url}/-/ready`)).ok);
    return new Stand(redis, gateway, prometheus, url, folder);
  }

  /** Asks Prometheus. */
  async query(query: string): Promise<readonly Sample[]> {
    const answer = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query })}`);
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data: { resultType: string; result: readonly Sample[] };
    };
    if (status !== "success") throw new Error(`${query}: ${error}`);
    return data.result;
  }

  /** Opens a WebSocket, says something that is no frame, and stays; back comes the answer's status. */
  connect(token = this.#token("listener", "acme")): Promise<number> {
    return new Promise((resolve, reject) => {
      const asking = request(`${this.gateway.url}/v1/ws`, {
        headers: {
          Authorization: `Bearer ${token}`,
          Connection: "Upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
          "Sec-WebSocket-Protocol": "realtime.v1",
        },
      });
      asking.once("error", reject);
      asking.once("response", (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asking.once("upgrade", (_, socket: Socket) => {
        this.#sockets.push(socket);
        socket.on("error", () => socket.destroy()).resume();
        socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]));
        resolve(101);
      });
      asking.end();
    });
  }

  /** Publishes an event, and looks into the log of a company that nobody has asked for yet. */
  async stir(): Promise<void> {
    const event = { companyId: "acme", type: "devis:viewed", data: {} };
    await this.#ask("/v1/events", this.#token("api", "acme", "publish"), event);
    await this.#ask("/v1/poll?wait=0", this.#token("reader", `other-${this.#asked++}`));
  }

  async #ask(path: string, token: string, body?: unknown): Promise<void> {
    const answer = await fetch(`${this.gateway.url}${path}`, {
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  }

  #token(sub: string, companyId: string, scope?: string): string {
    return mint(SECRET, { sub, companyId, ...(scope && { scope }) }, 3600);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([this.gateway.kill(), this.prometheus.kill()]);
    await this.redis.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
