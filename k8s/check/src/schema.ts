import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { called, type Resource, SCRATCH } from "./render";

/** The package that knows an API group, and where in it. */
function home(apiVersion: string): string {
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  const packages: Record<string, string> = {
    "keda.sh": "@kubernetes-models/keda",
    "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
    "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  };
  return `${packages[group] ?? "kubernetes-models"}/${apiVersion}`;
}

/** Holds a resource against its schema: what is missing, of a wrong type, or none of the values that there are. */
export async function violations(resource: Resource): Promise<readonly string[]> {
  const module = await import(`${home(resource.apiVersion)}/${resource.kind}`);
  try {
    new module[resource.kind](resource).validate();
    return [];
  } catch (error) {
    return [`${called(resource)}: ${error instanceof Error ? error.message : error}`];
  }
}

/**
 * Fields that the schemas do not know, which an API server would drop: a typo in `terminationGracePeriodSeconds` is valid.
 * Found by the compiler: in a literal of a declared type an unknown property is an error, at any depth.
 */
export function unknowns(resources: readonly Resource[]): readonly string[] {
  const kinds = new Map(resources.map((resource) => [`${resource.apiVersion}/${resource.kind}`, resource]));
  const types = [...kinds.keys()];
  const lines = [...kinds.values()].map(({ apiVersion, kind }, index) => {
    return `import type { I${kind} as T${index} } from "${home(apiVersion)}/${kind}";`;
  });
  for (const [index, resource] of resources.entries()) {
    const type = types.indexOf(`${resource.apiVersion}/${resource.kind}`);
    lines.push(`export const ${resource.kind}${index}: T${type} = ${JSON.stringify(resource)};`);
  }
  return compile(lines.join("\n"));
}

function compile(source: string): readonly string[] {
  mkdirSync(SCRATCH, { recursive: true });
  const folder = mkdtempSync(join(SCRATCH, "types-"));
  try {
    writeFileSync(join(folder, "manifests.ts"), source);
    const options = ["--ignoreConfig", "--noEmit", "--strict", "--skipLibCheck", "--module", "esnext"];
    options.push("--moduleResolution", "bundler", "--target", "es2022", "--types", "", "--pretty", "false");
    const tsc = resolve(import.meta.dirname, "../node_modules/.bin/tsc");
    execFileSync(tsc, [...options, join(folder, "manifests.ts")], { encoding: "utf8", stdio: "pipe" });
    return [];
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (!stdout) throw error;
    const places = source.split("\n").map((line) => /^export const (\w+)/.exec(line)?.[1]);
    const found = stdout.split("\n").flatMap((line) => {
      const [, row, message] = /\((\d+),\d+\): error (.*)/.exec(line) ?? [];
      return row === undefined ? [] : [`${places[Number(row) - 1]}: ${message}`];
    });
    // Whatever else it is that failed, it is not a clean bill.
    if (found.length === 0) throw new Error(stdout);
    return found;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
