import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseAllDocuments } from "yaml";

/** The folder of all manifests. */
export const MANIFESTS = resolve(import.meta.dirname, "../..");
/** The root of the repository. */
export const ROOT = resolve(MANIFESTS, "..");
/** What the checks write, next to what git does not see. */
export const SCRATCH = resolve(import.meta.dirname, "../node_modules/.scratch");

// biome-ignore lint/suspicious/noExplicitAny: any manifest; what is in it is what the checks find out.
export type Tree = any;

/** One rendered resource. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
  };
  readonly [key: string]: Tree;
}

export const overlays: readonly string[] = readdirSync(join(MANIFESTS, "overlays")).sort();

/** What `kubectl apply -k` would send. */
export function render(folder: string): readonly Resource[] {
  const [program, ...args] = renderer();
  const text = execFileSync(program, [...args, folder], { encoding: "utf8", maxBuffer: 64 << 20 });
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw new Error(`${folder}: ${document.errors.join(", ")}`);
    return document.toJS() as Resource;
  });
}

const rendered = new Map<string, readonly Resource[]>();

/** An overlay as it is; a copy, which may be changed. */
export function renderOverlay(name: string): Resource[] {
  const known = rendered.get(name) ?? render(join(MANIFESTS, "overlays", name));
  rendered.set(name, known);
  return structuredClone(known) as Resource[];
}

/** An overlay on an overlay, as somebody who installs it twice would write it. */
export function renderOnTop(name: string, lines: string): readonly Resource[] {
  mkdirSync(SCRATCH, { recursive: true });
  const folder = mkdtempSync(join(SCRATCH, "on-top-"));
  try {
    const base = relative(folder, join(MANIFESTS, "overlays", name));
    writeFileSync(join(folder, "kustomization.yaml"), `resources: [${base}]\n${lines}\n`);
    return render(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `kustomize`, or the one inside `kubectl`. */
function renderer(): readonly [string, ...string[]] {
  const candidates: readonly [string, ...string[]][] = [
    ["kubectl", "kustomize"],
    ["kustomize", "build"],
    [join(ROOT, ".local/bin/kustomize"), "build"],
  ];
  const found = candidates.find(([program]) => runs(program));
  if (!found) throw new Error("neither kubectl nor kustomize is there; run scripts/setup test");
  return found;
}

function runs(program: string): boolean {
  try {
    execFileSync(program, program === "kubectl" ? ["kustomize", "--help"] : ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** What makes pods. */
export const WORKLOADS = ["Deployment", "StatefulSet", "Job"];

/** All resources of a kind. */
export function of(resources: readonly Resource[], ...kinds: readonly string[]): readonly Resource[] {
  return resources.filter(({ kind }) => kinds.includes(kind));
}

/** The one resource of a kind. */
export function only(resources: readonly Resource[], kind: string, name?: string): Resource {
  const found = of(resources, kind).filter(({ metadata }) => name === undefined || metadata.name === name);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} of ${kind} ${name ?? ""}`);
  return found[0];
}

/** How a resource is called in a message. */
export function called({ kind, metadata }: Resource): string {
  return `${kind}/${metadata.name}`;
}
