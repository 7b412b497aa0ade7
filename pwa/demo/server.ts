/**
 * `make demo`: a Redis, a gateway, the simulated day of some companies, and before them one HTTP front that signs the
 * owner in and can be told to misbehave. Redis is a process of its own, so that a gateway that is killed loses nothing.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Child } from "../stand/child";
import { Gateway } from "../stand/gateway";
import { Passage } from "../stand/passage";
import { refusal } from "../stand/ports";
import { Redis } from "../stand/redis";
import { binary, dist } from "../stand/repository";
import { mint } from "../stand/token";
import { Auth } from "./auth";
import { Panel } from "./panel";

/** Short, so that one sees it renewed. */
const TOKEN_SECONDS = 10 * 60;
const WEEK = 7 * 24 * 3600;
const COMPANIES = "5";

const stops: (() => Promise<void>)[] = [];

/** Ends everything, in the order opposite to its start. */
async function stop(code: number): Promise<never> {
  for (const end of stops.splice(0).reverse()) await end().catch(() => {});
  process.exit(code);
}

function fail(error: unknown): Promise<never> {
  console.error(`demo: ${error instanceof Error ? error.message : error}`);
  return stop(1);
}

/** `127.0.0.1:8080` as host and port; it must be free. */
async function addressOf(variable: string, fallback: string): Promise<[string, number]> {
  const text = process.env[variable] ?? fallback;
  const [host, port] = [text.slice(0, text.lastIndexOf(":")), Number(text.slice(text.lastIndexOf(":") + 1))];
  if (host === "" || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`${variable}: ${text} is no address such as ${fallback}`);
  }
  const reason = await refusal(host, port);
  if (reason === "EADDRINUSE") {
    throw new Error(
      `${text} is taken; choose another address with ${variable}=${host}:${port + 1} make demo`,
    );
  }
  if (reason) throw new Error(`cannot listen on ${text}: ${reason}`);
  return [host, port];
}

/** The first of the simulated companies. */
function company(): { companyId: string; companyName: string } {
  const list = execFileSync(binary("loadtest"), ["simulate", "--list", "--companies", "1"], {
    encoding: "utf8",
  });
  const [companyId = "", ...name] = list.trim().split(/\s+/);
  return { companyId, companyName: name.join(" ") };
}

async function main(): Promise<void> {
  const [host, port] = await addressOf("DEMO_LISTEN", "127.0.0.1:8080");
  const [adminHost, adminPort] = await addressOf("GATEWAY_ADMIN_LISTEN", "127.0.0.1:9090");
  const secret = randomBytes(32).toString("hex");

  const redis = await Redis.start();
  stops.push(() => redis.stop());
  const gateway = await Gateway.start({
    redis: redis.url,
    secret,
    pages: dist(),
    admin: `${adminHost}:${adminPort}`,
    loud: true,
  });
  stops.push(() => gateway.stop());

  const owner = { userId: "patron", ...company() };
  const auth = new Auth(secret, owner, TOKEN_SECONDS);
  const panel = new Panel(gateway, () => proxy);
  const proxy: Passage = new Passage(
    gateway.url,
    host,
    port,
    (request, response) =>
      panel.handle(request, response) || (proxy.network === "up" && auth.handle(request, response)),
  );
  await proxy.listen();
  stops.push(() => proxy.stop());

  const token = mint(secret, { sub: owner.userId, companyId: owner.companyId }, WEEK);
  console.log(`
The dashboard of ${owner.companyName} is on

  ${proxy.url}

Open it; you are signed in. Its panel (bottom of the page) cuts the network and restarts the gateway: watch it recover.
Metrics are on ${gateway.adminUrl}/metrics. In another terminal, follow the same company:

  ${binary("loadtest")} watch --url ${proxy.url.replace("http", "ws")}/v1/ws --token ${token}

or ask what is known:

  curl -H "Authorization: Bearer ${token}" "${proxy.url}/v1/events?limit=3"

Ctrl-C ends everything. The day begins:
`);
  const args = ["simulate", "--companies", COMPANIES, "--loop", "--redis", redis.url];
  const day = Child.start("simulate", binary("loadtest"), args, {
    loud: true,
    env: { TERM: process.env.TERM },
  });
  stops.push(() => day.stop());
  const code = await day.exited;
  if (stops.length > 0) await fail(`the simulated day ended (${code})`);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => void stop(0));
main().catch(fail);
