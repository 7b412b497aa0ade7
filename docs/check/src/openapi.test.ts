import { describe, expect, it } from "vitest";
import { golden, read, validator, wrong } from "./golden";

interface Body {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
  readonly $ref?: string;
}
interface Operation {
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Body>>;
}

const document = JSON.parse(read("docs/openapi.json"));
const compile = validator({ "openapi.json": document });
const operations: readonly [string, Operation][] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods as object).map(([method, it]): [string, Operation] => [`${method} ${path}`, it]),
);

/** Where a golden body belongs, by the beginning of its name. */
const PLACES: Readonly<Record<string, readonly [operation: string, status?: string]>> = {
  poll: ["get /v1/poll", "200"],
  events: ["get /v1/events", "200"],
  publish: ["post /v1/events"],
  published: ["post /v1/events", "200"],
  revoke: ["post /v1/revocations"],
  revoked: ["post /v1/revocations", "200"],
};

/** A body's schema, as a reference into the document. */
function schema(body: Body | undefined): object {
  const at = body?.$ref?.split("/").at(-1);
  const [content] = Object.values((at ? document.components.responses[at] : body).content);
  const text = JSON.stringify((content as { schema: object }).schema);
  return JSON.parse(text.replaceAll('"#/', '"openapi.json#/'));
}

function bodyOf(name: string): object {
  const [operation, status] = PLACES[name.split(/[-.]/)[0] ?? ""] ?? [];
  const found = operations.find(([it]) => it === operation)?.[1];
  return schema(status ? found?.responses[status] : found?.requestBody);
}

const bodies = [...golden("http"), ...golden("v0.1.0/http")];

describe("every golden body is what its endpoint says", () => {
  it.each(bodies.filter(({ name }) => !name.startsWith("problem-")))("$name", ({ name, value }) => {
    const validate = compile(bodyOf(name));
    expect(wrong(validate, value)).toEqual([]);
    expect(wrong(validate, { strange: true })).not.toEqual([]);
  });

  it("and there is one for each", () => {
    const refusal = (status: string) => Number(status) >= 300 || status === "101";
    const places = operations.flatMap(([operation, { requestBody, responses }]) => [
      ...(requestBody ? [operation] : []),
      ...Object.keys(responses).flatMap((status) => (refusal(status) ? [] : [`${operation} ${status}`])),
    ]);
    const told = bodies.map(({ name }) => PLACES[name.split(/[-.]/)[0] ?? ""]?.join(" "));
    // A stream has frames, and the document describes itself.
    const others = ["get /v1/sse 200", "get /v1/openapi.json 200"];
    expect(places.filter((place) => !told.includes(place)).sort()).toEqual(others.sort());
  });
});

describe("every golden refusal is one that some endpoint has", () => {
  it.each(bodies.filter(({ name }) => name.startsWith("problem-")))("$name", ({ value }) => {
    const refusals = operations.flatMap(([, { responses }]) => responses[String(value.status)] ?? []);
    expect(refusals.map((one) => wrong(compile(schema(one)), value))).toContainEqual([]);
    const other = refusals.map((one) => wrong(compile(schema(one)), { ...value, code: "strange" }));
    expect(other).not.toContainEqual([]);
  });
});

describe("frames are what AsyncAPI says", () => {
  const server = [...golden(), ...golden("v0.1.0")].filter(({ name }) => !name.startsWith("client-"));

  it.each(server)("$name", ({ value }) => {
    const frame = String(value.frame);
    const name = frame.charAt(0).toUpperCase() + frame.slice(1);
    expect(wrong(compile({ $ref: `openapi.json#/components/schemas/${name}` }), value)).toEqual([]);
  });
});

it("refers to nothing that is not there", () => {
  const text = JSON.stringify(document);
  for (const [, path] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = path?.split("/").reduce((at, name) => at?.[name], document);
    expect(target, path).toBeDefined();
  }
});

it("lists every code that the protocol's page lists, and no other", () => {
  const page = read("docs/protocol.md").match(/Refusals are[\s\S]*?\n\n/)?.[0] ?? "";
  const told = new Set([...page.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code));
  const listed = [...JSON.stringify(document).matchAll(/"code":\{"enum":(\[[^\]]+\])/g)];
  const codes = new Set(listed.flatMap(([, list]) => JSON.parse(list ?? "[]")));
  // Of paths and methods that are not there.
  for (const code of ["not_found", "method_not_allowed", "code"]) told.delete(code);
  expect(codes.size).toBeGreaterThan(10);
  expect([...codes].sort()).toEqual([...told].sort());
});
