import { describe, expect, it } from "vitest";
import { dangling } from "./names";
import { only, overlays, type Resource, renderOnTop, renderOverlay } from "./render";

describe.each(overlays)("overlay %s", (overlay) => {
  it("refers only to what is there", () => {
    expect(dangling(renderOverlay(overlay))).toEqual([]);
  });

  it("does so under a name prefix and in another namespace", () => {
    const resources = renderOnTop(overlay, "namePrefix: blue-\nnamespace: blue");
    const own = new Set(resources.map(({ metadata }) => metadata.name));
    expect(own.has("blue-gateway")).toBe(true);
    // The Secrets and the Gateway that others bring keep their names.
    expect(dangling(resources)).toEqual([]);
    const namespaced = resources.filter(({ kind }) => kind !== "Namespace");
    expect(new Set(namespaced.map(({ metadata }) => metadata.namespace))).toEqual(new Set(["blue"]));
  });

  it("names everything once", () => {
    const names = renderOverlay(overlay).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
  });
});

describe("the check itself", () => {
  const breaks: readonly [string, string, string, (tree: Resource) => void][] = [
    [
      "production",
      "Deployment",
      "ConfigMap/other",
      ({ spec }) => {
        spec.template.spec.containers[0].envFrom[0].configMapRef.name = "other";
      },
    ],
    [
      "production",
      "Deployment",
      "Secret/other",
      ({ spec }) => {
        spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.name = "other";
      },
    ],
    [
      "production",
      "Deployment",
      "port other",
      ({ spec }) => {
        spec.template.spec.containers[0].readinessProbe.httpGet.port = "other";
      },
    ],
    [
      "production",
      "Deployment",
      "volume secrets",
      ({ spec }) => {
        spec.template.spec.volumes[0].name = "other";
      },
    ],
    [
      "production",
      "Deployment",
      "ServiceAccount/other",
      ({ spec }) => {
        spec.template.spec.serviceAccountName = "other";
      },
    ],
    [
      "production",
      "Service",
      "pods with",
      ({ spec }) => {
        spec.selector = { "app.kubernetes.io/name": "other" };
      },
    ],
    [
      "production",
      "Service",
      "port other",
      ({ spec }) => {
        spec.ports[0].targetPort = "other";
      },
    ],
    [
      "production",
      "PodMonitor",
      "port other",
      ({ spec }) => {
        spec.podMetricsEndpoints[0].port = "other";
      },
    ],
    [
      "production",
      "PodDisruptionBudget",
      "pods with",
      ({ spec }) => {
        spec.selector.matchLabels["app.kubernetes.io/name"] = "other";
      },
    ],
    [
      "production",
      "ScaledObject",
      "Deployment/other",
      ({ spec }) => {
        spec.scaleTargetRef.name = "other";
      },
    ],
    [
      "hpa",
      "HorizontalPodAutoscaler",
      "Deployment/other",
      ({ spec }) => {
        spec.scaleTargetRef.name = "other";
      },
    ],
    [
      "production",
      "HTTPRoute",
      "port 81 of Service/gateway",
      ({ spec }) => {
        spec.rules[0].backendRefs[0].port = 81;
      },
    ],
    [
      "ingress",
      "Ingress",
      "Service/other",
      ({ spec }) => {
        spec.rules[0].http.paths[0].backend.service.name = "other";
      },
    ],
  ];
  it.each(breaks)("finds in %s a %s that refers to %s", (overlay, kind, what, change) => {
    const resources = renderOverlay(overlay);
    change(only(resources, kind));
    expect(dangling(resources).join("\n")).toContain(what);
  });

  it("finds a key that a Secret does not have", () => {
    const resources = renderOverlay("dev");
    const secret = only(resources, "Secret");
    delete secret.data["redis-url"];
    expect(dangling(resources).join("\n")).toContain("key redis-url");
  });
});
