import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { isOfCatalog } from "./catalog";

const folder = `${process.cwd()}/../shared/fixtures`;
const golden = readdirSync(folder)
  .filter((name) => name.startsWith("event-"))
  .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8")));

it.each(golden)("$type is of the catalog, and not when a member is missing or of another kind", (event) => {
  expect(isOfCatalog(event)).toBe(true);
  expect(isOfCatalog({ ...event, data: { ...event.data, more: 1 } })).toBe(true);
  for (const [name, value] of Object.entries(event.data)) {
    const { [name]: _, ...rest } = event.data;
    const isOptional = name === "phone" || (name === "devisId" && event.type === "facture:created");
    expect(isOfCatalog({ ...event, data: rest }), `without ${name}`).toBe(isOptional);
    expect(isOfCatalog({ ...event, data: { ...rest, [name]: null } }), `${name}: null`).toBe(isOptional);
    const wrong = typeof value === "string" ? 7 : "7";
    expect(isOfCatalog({ ...event, data: { ...rest, [name]: wrong } }), `${name}: ${wrong}`).toBe(false);
  }
});

it("takes nothing else", () => {
  const [event] = golden;
  for (const data of [null, [], "x", 1, undefined, {}]) expect(isOfCatalog({ ...event, data })).toBe(false);
  expect(isOfCatalog({ ...event, type: "devis:archived" })).toBe(false);
  expect(isOfCatalog({ ...event, type: "toString" })).toBe(false);
  expect(isOfCatalog({ ...event, id: "x" })).toBe(false);
  // A leap second is a time that no browser reads.
  for (const time of ["", "soon", 1, "2026-06-30T23:59:60.000Z"]) {
    expect(isOfCatalog({ ...event, time }), `${time}`).toBe(false);
  }
  for (const strange of [null, undefined, 1, "x", []]) expect(isOfCatalog(strange)).toBe(false);
});
