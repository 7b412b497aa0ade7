import { join } from "node:path";
import { type AsyncAPIDocumentInterface, DiagnosticSeverity, Parser } from "@asyncapi/parser";
import { beforeAll, describe, expect, it } from "vitest";
import { golden, ROOT, read, validator, wrong } from "./golden";

const FILE = "docs/asyncapi.yaml";
const compile = validator({});
let document: AsyncAPIDocumentInterface;
let found: readonly string[];

beforeAll(async () => {
  const parsed = await new Parser().parse(read(FILE), { source: join(ROOT, FILE) });
  // It informs about newer versions of AsyncAPI, which fewer tools read.
  const faults = parsed.diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning);
  found = faults.map(({ code, message, path }) => `${code} at ${path.join(".")}: ${message}`);
  if (!parsed.document) throw new Error(found.join("\n"));
  document = parsed.document;
});

/** The schema of the message with this name. */
function payload(name: unknown): object {
  const message = document.components().messages().get(String(name));
  if (!message) throw new Error(`no message ${name}`);
  return message.payload()?.json() as object;
}

it("is an AsyncAPI document without a fault", () => {
  expect(found).toEqual([]);
  expect(document.version()).toBe("3.0.0");
});

describe("every golden frame is what its message says", () => {
  it.each([...golden(), ...golden("v0.1.0")])("$name", ({ value }) => {
    expect(wrong(compile(payload(value.frame)), value)).toEqual([]);
  });

  it("and no longer when a member that is required is missing", () => {
    for (const { name, value } of golden()) {
      const schema = payload(value.frame) as { required?: string[] };
      for (const member of schema.required ?? []) {
        const { [member]: _, ...rest } = value;
        expect(wrong(compile(schema), rest), `${name} without ${member}`).not.toEqual([]);
      }
    }
  });
});

it("has a golden frame for each message, on one channel at least", () => {
  const frames = new Set(golden().map(({ value }) => String(value.frame)));
  const messages = document.components().messages().all();
  expect(messages.map((message) => message.id()).sort()).toEqual([...frames].sort());
  const sent = document.operations().all();
  const carried = sent.flatMap((operation) => operation.messages().all());
  expect(new Set(carried.map((message) => message.name()))).toEqual(frames);
});

it("has the close codes of the protocol's page", () => {
  const codes = document.channels().get("socket")?.extensions().get("x-close-codes")?.value();
  const table = read("docs/protocol.md").split("## Close codes")[1]?.split("\n## ")[0] ?? "";
  const rows = [...table.matchAll(/^\| ([0-9, ]+) \|/gm)].flatMap(
    ([, numbers]) => numbers?.split(", ") ?? [],
  );
  expect(rows.length).toBeGreaterThan(5);
  expect(Object.keys(codes).sort()).toEqual(rows.sort());
});

describe("the data of every golden event is what the catalog says", () => {
  const catalog = validator({ "events.json": JSON.parse(read("shared/schema/events.json")) });
  const events = [...golden(), ...golden("v0.1.0")].filter(({ value }) => value.frame === "event");

  it.each(events)("$name", ({ value }) => {
    const validate = catalog({ $ref: `events.json#/properties/${value.type}` });
    expect(wrong(validate, value.data)).toEqual([]);
    expect(wrong(validate, {})).not.toEqual([]);
  });
});
