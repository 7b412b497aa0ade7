// Every PromQL of the manifests against a Prometheus that scrapes a gateway.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { eventually } from "../../../pwa/stand/eventually";
import { MANIFESTS, of, only, renderOverlay, type Tree } from "./render";
import { Stand, TARGET } from "./stand";

const SESSIONS = 3;
const keda = renderOverlay("keda");
const scaling: string = only(keda, "ScaledObject").spec.triggers[0].metadata.query;
const alerts: readonly Tree[] = only(keda, "PrometheusRule").spec.groups.flatMap(({ rules }: Tree) => rules);
const dashboard: Tree = JSON.parse(
  of(keda, "ConfigMap").find(({ metadata }) => metadata.name === "gateway-dashboard")?.data["dashboard.json"],
);
const [adapter]: readonly Tree[] = parse(
  readFileSync(join(MANIFESTS, "components/hpa/adapter-values.yaml"), "utf8"),
).rules.custom;

/** What Grafana puts in for its variables. */
const filled = (query: string): string =>
  query
    .replaceAll("$namespace", TARGET.namespace)
    .replaceAll("$__rate_interval", "10s")
    .replaceAll("$__range", "1m");

const panels: readonly [string, string][] = dashboard.panels.flatMap(({ title, targets = [] }: Tree) =>
  targets.map(({ refId, expr }: Tree) => [`${title} ${refId}`, filled(expr)]),
);

/** The series that an alert looks at. Those of others, kube-state-metrics, are not here. */
const selectors = (expr: string): readonly string[] =>
  [...expr.matchAll(/\b(?:gateway_\w+|up)\b(?:\{[^}]*\})?/g)].map(([selector]) => selector);

let stand: Stand;
let traffic: NodeJS.Timeout;
let failure: unknown;

beforeAll(async () => {
  stand = await Stand.start();
  for (let n = 0; n < SESSIONS; n++) expect(await stand.connect()).toBe(101);
  expect(await stand.connect("not a token")).toBe(401);
  traffic = setInterval(() => void stand.stir().catch((error) => (failure ??= error)), 200);
});

afterAll(async () => {
  clearInterval(traffic);
  await stand?.stop();
});

/** A few scrapes bring what there is. */
const PATIENCE = 6_000;

const series = (query: string) =>
  eventually(
    query,
    async () => {
      const found = await stand.query(query);
      return found.length > 0 && found;
    },
    PATIENCE,
  );

describe("scaling", () => {
  it("sees through KEDA's query how many sessions there are", async () => {
    await eventually("all sessions", async () => {
      const [sample] = await stand.query(scaling);
      return Number(sample?.value[1]) === SESSIONS;
    });
  });

  it("sees through the adapter's rule how many of them a pod holds", async () => {
    const query = adapter.metricsQuery
      .replaceAll("<<.Series>>", "gateway_connections")
      .replaceAll("<<.LabelMatchers>>", `namespace="${TARGET.namespace}",pod=~"${TARGET.pod}"`)
      .replaceAll("<<.GroupBy>>", "pod");
    expect(query).not.toContain("<<");
    const [sample, ...others] = await series(query);
    expect([sample?.metric, sample?.value[1], others]).toEqual([{ pod: TARGET.pod }, String(SESSIONS), []]);
    const [found] = await series(adapter.seriesQuery);
    expect(found?.metric.__name__).toMatch(new RegExp(adapter.name.matches));
    for (const label of Object.keys(adapter.resources.overrides)) expect(found?.metric).toHaveProperty(label);
  });
});

describe("the dashboard", () => {
  it.each(panels)("shows %s", async (_, query) => {
    await eventually(
      `${query} is a number`,
      async () => (await series(query)).some(({ value: [, value] }) => Number.isFinite(Number(value))),
      PATIENCE,
    );
  });
});

describe("the alerts", () => {
  it.each(alerts.map(({ alert, expr }) => [alert, expr]))("%s looks at what there is", async (_, expr) => {
    await stand.query(expr);
    for (const selector of selectors(expr)) await series(selector);
  });

  it("are quiet while all is well", async () => {
    for (const { alert, expr } of alerts) {
      await eventually(`${alert} is quiet`, async () => (await stand.query(expr)).length === 0);
    }
  });
});

describe("the metrics", () => {
  it("are as promtool wants them", async () => {
    const input = await (await fetch(`${stand.gateway.adminUrl}/metrics`)).text();
    expect(input).toContain("gateway_connections");
    expect(execFileSync("promtool", ["check", "metrics"], { input, encoding: "utf8" })).toBe("");
  });

  it("came from traffic that went well", () => {
    expect(failure).toBeUndefined();
  });
});

describe("when the gateway cannot be scraped", () => {
  it("KEDA's query has no answer, which is not zero", async () => {
    clearInterval(traffic);
    await stand.gateway.kill();
    await eventually("it is missed", async () => (await stand.query("up == 0")).length > 0);
    expect(await stand.query(scaling)).toEqual([]);
  });
});
