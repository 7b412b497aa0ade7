import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { only, renderOverlay, SCRATCH, type Tree } from "./render";

const CASES = resolve(import.meta.dirname, "../rules");
const files = readdirSync(CASES);
const { groups } = only(renderOverlay("keda"), "PrometheusRule").spec;
// The cases need not repeat where each alert is explained; traps.test.ts looks at that.
for (const { rules } of groups) for (const { annotations } of rules) delete annotations.runbook_url;
const alerts: readonly string[] = groups.flatMap(({ rules }: Tree) => rules.map(({ alert }: Tree) => alert));

/** Runs promtool over rules and files of cases; what it complains of, or nothing. */
function complaint(groups: Tree, command: "check" | "test", cases = files): string | undefined {
  mkdirSync(SCRATCH, { recursive: true });
  const folder = mkdtempSync(join(SCRATCH, "rules-"));
  try {
    writeFileSync(join(folder, "rules.yaml"), stringify({ groups }));
    for (const file of cases) copyFileSync(join(CASES, file), join(folder, file));
    const names = command === "check" ? ["rules.yaml"] : cases;
    execFileSync("promtool", [command, "rules", ...names], { cwd: folder, encoding: "utf8", stdio: "pipe" });
    return undefined;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    if (stderr === undefined) throw error;
    return `${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The rules with one alert changed. */
function mutant(alert: string, change: (rule: Tree) => void): Tree {
  const changed = structuredClone(groups);
  for (const { rules } of changed) for (const rule of rules) if (rule.alert === alert) change(rule);
  return changed;
}

describe("the alerts", () => {
  it("are well-formed", () => {
    expect(complaint(groups, "check")).toBeUndefined();
  });

  it("do in every case what the case says", () => {
    expect(complaint(groups, "test")).toBeUndefined();
  });

  it("have each a case in which it fires, and one in which it does not", () => {
    const cases: readonly Tree[] = files.flatMap((file) =>
      parse(readFileSync(join(CASES, file), "utf8")).tests.flatMap((test: Tree) => test.alert_rule_test),
    );
    const named = (fires: boolean) =>
      new Set(cases.filter((one) => one.exp_alerts.length > 0 === fires).map(({ alertname }) => alertname));
    expect([...named(true)].sort()).toEqual([...alerts].sort());
    expect([...named(false)].sort()).toEqual([...alerts].sort());
  });

  it.each(alerts)("would be missed: %s", (alert) => {
    const own = files.filter((file) => readFileSync(join(CASES, file), "utf8").includes(alert));
    const never = mutant(alert, (rule) => {
      rule.expr = "vector(0) > 1";
    });
    expect(complaint(never, "test", own)).toContain(alert);
    const always = mutant(alert, (rule) => {
      rule.expr = "vector(1)";
      delete rule.for;
    });
    expect(complaint(always, "test", own)).toContain(alert);
  });
});
