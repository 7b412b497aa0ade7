// Writes src/realtime/events.generated.ts from shared/schema/events.json; with --check it fails when the file differs.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const source = new URL("../../shared/schema/events.json", import.meta.url);
const target = new URL("../src/realtime/events.generated.ts", import.meta.url);

const schema = JSON.parse(await readFile(source, "utf8"));
const types = Object.keys(schema.properties);

// The kind of each member, as `typeof` calls it; a `?` behind it where it may be left out.
const kindOf = ({ $ref, type, const: value, anyOf, oneOf }) => {
  if ($ref) return kindOf(schema.$defs[$ref.split("/").at(-1)]);
  if (value !== undefined) return typeof value;
  const [kind] = [type ?? (anyOf ?? oneOf).map(kindOf)].flat().filter((one) => one !== "null");
  return kind === "integer" ? "number" : kind;
};
const members = Object.entries(schema.properties).map(([type, { $ref }]) => {
  const { properties, required } = schema.$defs[$ref.split("/").at(-1)];
  const kinds = Object.entries(properties).map(([name, property]) => [
    name,
    kindOf(property) + (required.includes(name) ? "" : "?"),
  ]);
  return [type, Object.fromEntries(kinds)];
});

// TypeScript has no int64 or date-time: members that the generator would ignore stay in the schema.
const body = await compile({ ...schema, title: "EventDataByType" }, "EventDataByType", {
  bannerComment: "",
  additionalProperties: false,
  declareExternallyReferenced: true,
  format: true,
});

const text = `/* Written by scripts/types.mjs from shared/schema/events.json. Do not edit: run \`npm run types\`. */

${body.trim()}

/** Every type of the catalog, as a value. */
export const EVENT_TYPES = ${JSON.stringify(types, null, 2).replace(/\n\]$/, ",\n]")} as const satisfies readonly (keyof EventDataByType)[];

/** What \`typeof\` says of each member of an event's data; with a \`?\` it may be left out. */
export const EVENT_MEMBERS: { readonly [T in keyof EventDataByType]: Readonly<Record<string, string>> } = ${JSON.stringify(Object.fromEntries(members), null, 2)};
`;

if (process.argv.includes("--check")) {
  const present = await readFile(target, "utf8").catch(() => "");
  if (present !== text) {
    console.error("src/realtime/events.generated.ts is not what shared/schema gives: run `npm run types`");
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
