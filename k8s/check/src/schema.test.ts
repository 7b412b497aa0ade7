import { beforeAll, describe, expect, it } from "vitest";
import { only, overlays, type Resource, renderOverlay } from "./render";
import { unknowns, violations } from "./schema";

describe.each(overlays)("overlay %s", (overlay) => {
  let resources: readonly Resource[];
  beforeAll(() => {
    resources = renderOverlay(overlay);
  });

  it("renders", () => {
    expect(resources.length).toBeGreaterThan(5);
  });

  it("is what the schemas say", async () => {
    expect((await Promise.all(resources.map(violations))).flat()).toEqual([]);
  });

  it("has no field that the schemas do not know", () => {
    expect(unknowns(resources)).toEqual([]);
  });
});

describe("the check itself", () => {
  const changed = (kind: string, change: (tree: Resource) => void): Resource => {
    const resource = only(renderOverlay("production"), kind);
    change(resource);
    return resource;
  };
  const broken: readonly [string, Resource][] = [
    [
      "a Deployment without a selector",
      changed("Deployment", ({ spec }) => {
        delete spec.selector;
      }),
    ],
    [
      "a ScaledObject whose replicas are words",
      changed("ScaledObject", ({ spec }) => {
        spec.maxReplicaCount = "many";
      }),
    ],
    [
      "a PodMonitor that selects nothing",
      changed("PodMonitor", ({ spec }) => {
        delete spec.selector;
      }),
    ],
    [
      "an HTTPRoute with a path type of its own",
      changed("HTTPRoute", ({ spec }) => {
        spec.rules[0].matches[0].path.type = "Glob";
      }),
    ],
  ];
  it.each(broken)("refuses %s", async (_, resource) => {
    expect(await violations(resource)).toHaveLength(1);
  });

  it("finds misspelt fields at any depth", () => {
    const misspelt = [
      changed("Deployment", ({ spec }) => {
        spec.template.spec.terminationGracePeriodSecond = 60;
      }),
      changed("ScaledObject", ({ spec }) => {
        spec.fallback.behaviour = "static";
      }),
      changed("PodMonitor", ({ spec }) => {
        spec.podMetricsEndpoints[0].intervall = "15s";
      }),
      changed("HTTPRoute", ({ spec }) => {
        spec.rules[0].timeouts.backend = "0s";
      }),
    ];
    const found = unknowns(misspelt).join("\n");
    for (const field of ["terminationGracePeriodSecond", "behaviour", "intervall", "backend"]) {
      expect(found).toContain(`'"${field}"'`);
    }
  });
});
