import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";

/** The root of the repository. */
export const ROOT = resolve(import.meta.dirname, "../../..");

/** A golden example: its name, and what is in it. */
export interface Golden {
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The golden examples of a folder below `shared/fixtures`. */
export function golden(folder = ""): readonly Golden[] {
  const names = readdirSync(join(ROOT, "shared/fixtures", folder)).filter((name) => name.endsWith(".json"));
  return names.map((name) => ({ name, value: JSON.parse(read(join("shared/fixtures", folder, name))) }));
}

/** Holds values against schemas, which it refers to each other by the names that they are given. */
export function validator(schemas: Readonly<Record<string, object>>): (schema: object) => ValidateFunction {
  // Members of AsyncAPI and OpenAPI are no keywords of JSON Schema.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  for (const format of ["uint16", "uint32", "uint64"]) ajv.addFormat(format, true);
  for (const [name, schema] of Object.entries(schemas)) ajv.addSchema(schema, name);
  return (schema) => ajv.compile(schema);
}

/** What is wrong with a value; empty when nothing is. */
export function wrong(validate: ValidateFunction, value: unknown): readonly string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || "/"} ${message}`);
}
