// What is well-formed and wrong all the same: each of these has cost somebody a night.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { binary } from "../../../pwa/stand/repository";
import { MANIFESTS, of, only, overlays, type Resource, ROOT, renderOverlay, type Tree, WORKLOADS } from "./render";

/** Seconds that the gateway takes to flush behind a drain. */
const FLUSH = 5;

const settings = (resources: readonly Resource[]): Record<string, string> =>
  of(resources, "ConfigMap").find(({ metadata }) => metadata.name.startsWith("gateway-") && !metadata.labels)
    ?.data;

const help = execFileSync(binary("gateway"), ["--help"], { encoding: "utf8" });

describe.each(overlays)("overlay %s", (overlay) => {
  const resources = renderOverlay(overlay);
  const deployment = only(resources, "Deployment", "gateway");
  const pod: Tree = deployment.spec.template.spec;
  const [container] = pod.containers;
  const config = settings(resources);

  it("leaves the number of replicas to the autoscaler", () => {
    expect(deployment.spec.replicas).toBeUndefined();
  });

  it("gives a pod the time that its drain takes", () => {
    const drain = container.lifecycle.preStop.sleep.seconds + Number(config.GATEWAY_DRAIN_SECS) + FLUSH;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drain + 10);
    // A rollout does not wait for pods that are leaving: without this it would drain several at once.
    expect(deployment.spec.minReadySeconds).toBeGreaterThanOrEqual(drain);
  });

  it("never takes a pod away before its successor is there", () => {
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(only(resources, "PodDisruptionBudget").spec.maxUnavailable).toBe(1);
  });

  it("probes the admin port, and liveness does not ask what readiness asks", () => {
    const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
    expect(probes.map(({ httpGet }) => httpGet.port)).toEqual(["admin", "admin", "admin"]);
    expect(container.readinessProbe.httpGet.path).toBe("/readyz");
    expect(container.livenessProbe.httpGet.path).toBe("/livez");
    const [, port] = config.GATEWAY_ADMIN_LISTEN?.split(":") ?? [];
    expect(container.ports.find(({ name }: Tree) => name === "admin").containerPort).toBe(Number(port));
  });

  it("keeps the admin port out of the Service", () => {
    const service = only(resources, "Service", "gateway");
    expect(service.spec.ports.map(({ targetPort }: Tree) => targetPort)).toEqual(["http"]);
    expect(service.spec.ports[0].appProtocol).toBe("kubernetes.io/ws");
  });

  it.each(of(resources, ...WORKLOADS))("lets $metadata.name do nothing that it need not", ({ spec }) => {
    const { securityContext, automountServiceAccountToken, containers, ...rest } = spec.template.spec;
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(securityContext.runAsUser).toBeGreaterThan(0);
    expect(automountServiceAccountToken).toBe(false);
    for (const key of ["hostNetwork", "hostPID", "hostIPC"]) expect(rest[key]).toBeUndefined();
    for (const { securityContext, resources } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(resources.limits.memory).toBeDefined();
      expect(resources.limits.cpu).toBeUndefined();
    }
  });

  it("denies what no policy allows", () => {
    const deny = only(resources, "NetworkPolicy", "deny");
    expect(deny.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    const open = of(resources, "NetworkPolicy").flatMap(({ spec }) => [
      ...(spec.ingress ?? []).filter(({ from }: Tree) => !from?.length),
      ...(spec.egress ?? []).filter(({ to }: Tree) => !to?.length),
    ]);
    expect(open).toEqual([]);
  });

  it("sets what the program knows, and nothing else", () => {
    const named = [...Object.keys(config), ...container.env.map(({ name }: Tree) => name)];
    expect(named.filter((name) => !help.includes(name))).toEqual([]);
  });

  it("brings no secret of its own, except for development and tests", () => {
    expect(of(resources, "Secret").length).toBe(["dev", "cluster"].includes(overlay) ? 1 : 0);
  });
});

describe("scaling", () => {
  const keda = only(renderOverlay("keda"), "ScaledObject").spec;
  const hpa = only(renderOverlay("hpa"), "HorizontalPodAutoscaler").spec;
  const [{ metadata: trigger, metricType }] = keda.triggers;

  it("does the same by both ways", () => {
    expect(hpa.behavior).toEqual(keda.advanced.horizontalPodAutoscalerConfig.behavior);
    expect(hpa.metrics[0].pods.target.averageValue).toBe(trigger.threshold);
    expect([hpa.minReplicas, hpa.maxReplicas]).toEqual([keda.minReplicaCount, keda.maxReplicaCount]);
  });

  it("takes what it does not know for unknown, not for zero", () => {
    expect(trigger.ignoreNullValues).toBe("false");
    // Only of this type can KEDA make up a value.
    expect(metricType).toBe("AverageValue");
    expect(keda.fallback.behavior).toBe("currentReplicasIfHigher");
    expect(keda.minReplicaCount).toBeGreaterThanOrEqual(2);
  });

  it("takes one pod at a time away, and waits longer than its sessions take to move", () => {
    const { stabilizationWindowSeconds, policies, selectPolicy } = hpa.behavior.scaleDown;
    expect(stabilizationWindowSeconds).toBeGreaterThanOrEqual(600);
    expect(selectPolicy).toBe("Min");
    const { terminationGracePeriodSeconds } = only(renderOverlay("hpa"), "Deployment", "gateway").spec
      .template.spec;
    for (const { type, value, periodSeconds } of policies) {
      expect([type, value]).toEqual(["Pods", 1]);
      expect(periodSeconds).toBeGreaterThan(terminationGracePeriodSeconds);
    }
  });

  it.each(["keda", "production"])(
    "of %s asks for its own namespace and aims well below the cap",
    (overlay) => {
      const resources = renderOverlay(overlay);
      const { spec, metadata } = only(resources, "ScaledObject");
      const { query, threshold } = spec.triggers[0].metadata;
      const asked = [...query.matchAll(/namespace="([^"]*)"/g)].map(([, namespace]: string[]) => namespace);
      expect(asked).toEqual([metadata.namespace, metadata.namespace]);
      expect(query).toContain('state="active"');
      const target = Number(threshold) / Number(settings(resources).GATEWAY_MAX_CONNECTIONS);
      expect(target).toBeGreaterThan(0.5);
      expect(target).toBeLessThanOrEqual(0.7);
    },
  );

  it("asks the adapter for the metric that it makes", () => {
    const { rules } = parse(readFileSync(join(MANIFESTS, "components/hpa/adapter-values.yaml"), "utf8"));
    const made = rules.custom.map(({ name }: Tree) => name.as);
    expect(made).toEqual([hpa.metrics[0].pods.metric.name]);
  });
});

describe("routes", () => {
  it("do not cut WebSockets, event streams and polls off", () => {
    const { rules } = only(renderOverlay("gateway-api"), "HTTPRoute").spec;
    const timeouts = new Map<string, Tree>(
      rules.flatMap(({ matches, timeouts }: Tree) => matches.map(({ path }: Tree) => [path.value, timeouts])),
    );
    const never = { request: "0s", backendRequest: "0s" };
    expect([timeouts.get("/v1/ws"), timeouts.get("/v1/sse")]).toEqual([never, never]);
    expect(Number.parseInt(timeouts.get("/v1/poll").request, 10)).toBeGreaterThan(60);
    const { annotations } = only(renderOverlay("ingress"), "Ingress").metadata as Tree;
    expect(annotations["haproxy.org/timeout-tunnel"]).toBe("1h");
  });
});

describe("the image", () => {
  const lines = readFileSync(join(ROOT, "Dockerfile"), "utf8").split("\n");
  const find = (what: RegExp) => lines.flatMap((line) => what.exec(line)?.slice(1) ?? []);

  it("is built by the toolchain that the project pins", () => {
    const pinned = /channel = "(.*)"/.exec(readFileSync(join(ROOT, "rust-toolchain.toml"), "utf8"))?.[1];
    expect(find(/^FROM rust:([\d.]+)-/)).toEqual([pinned]);
  });

  it("runs as whom the manifests run it, without a shell, and has the pages where they look for them", () => {
    const pod = only(renderOverlay("production"), "Deployment").spec.template.spec;
    expect(find(/^USER (.*)/)).toEqual([
      `${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`,
    ]);
    expect(find(/^FROM (\S+)/).at(-1)).toMatch(/distroless.*:nonroot$/);
    expect(find(/pwa\/dist (.*)/)).toEqual([settings(renderOverlay("production")).GATEWAY_STATIC_DIR]);
  });

  it("is made of folders that there are, and that are not ignored", () => {
    const sources = find(/^COPY (?!--)(.*) \S+$/).flatMap((sources) => sources.split(" "));
    const allowed = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
    for (const source of sources) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(allowed, source).toContain(`!${source.split("/")[0]}`);
    }
  });
});

describe("docs/operations.md", () => {
  const page = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
  const rules: readonly Tree[] = only(renderOverlay("keda"), "PrometheusRule").spec.groups.flatMap(
    ({ rules }: Tree) => rules,
  );

  it("says for each alert what to do", () => {
    const headings = [...page.matchAll(/^### (Gateway\w+)/gm)].map(([, name]) => name);
    expect(headings).toEqual(rules.map(({ alert }) => alert));
  });

  it("is where each alert sends whoever it wakes", () => {
    for (const { alert, annotations } of rules) {
      const [address, anchor] = annotations.runbook_url.split("#");
      expect(address.endsWith("/docs/operations.md"), alert).toBe(true);
      expect(anchor).toBe(alert.toLowerCase());
    }
  });
});
