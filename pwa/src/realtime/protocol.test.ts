import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EVENT_TYPES } from "./events.generated";
import { parseFrame, parsePoll, parseText } from "./protocol";

const folder = `${process.cwd()}/../shared/fixtures`;
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
const read = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));

describe("golden frames", () => {
  const server = names.filter((name) => !name.startsWith("client-"));

  it.each(server)("%s is a frame that this client knows", (name) => {
    expect(parseFrame(read(name))).toEqual(read(name));
  });

  it("show every type of event", () => {
    const types = server
      .map((name) => parseFrame(read(name)))
      .map((frame) => frame?.frame === "event" && frame.type);
    expect(types.filter(Boolean).sort()).toEqual([...EVENT_TYPES].sort());
  });

  it.each(names.filter((name) => name.startsWith("client-")))("%s is not for a client to hear", (name) => {
    expect(parseFrame(read(name))).toBeUndefined();
  });

  it("that miss a member are no frames", () => {
    for (const name of server) {
      const whole = read(name) as Record<string, unknown>;
      const parsed = parseFrame(whole) ?? {};
      for (const member of Object.keys(parsed)) {
        const { [member]: _, ...rest } = whole;
        const optional =
          ["session", "companyId", "reason", "message"].includes(member) && whole.frame !== "event";
        expect(parseFrame(rest) === undefined, `${name} without ${member}`).toBe(!optional);
      }
    }
  });
});

describe("what the first version sent", () => {
  const first = `${folder}/v0.1.0`;
  const files = (of: string) => readdirSync(`${first}/${of}`).filter((name) => name.endsWith(".json"));
  const readFirst = (name: string) => JSON.parse(readFileSync(`${first}/${name}`, "utf8"));

  it.each(files("").filter((name) => !name.startsWith("client-")))("%s is understood", (name) => {
    expect(parseFrame(readFirst(name))).toEqual(readFirst(name));
  });

  it.each(files("http").filter((name) => name.startsWith("poll-")))("%s is understood", (name) => {
    expect(parsePoll(readFirst(`http/${name}`))).toEqual({ delivery: "live", ...readFirst(`http/${name}`) });
  });
});

describe("golden answers to polls", () => {
  const answers = readdirSync(`${folder}/http`).filter((name) => name.startsWith("poll-"));

  it.each(answers)("%s is understood", (name) => {
    expect(parsePoll(read(`http/${name}`))).toEqual({
      delivery: "live",
      ...(read(`http/${name}`) as object),
    });
  });
});

describe("what is not known", () => {
  it("is ignored: frames, members, text", () => {
    expect(parseFrame({ frame: "news" })).toBeUndefined();
    expect(parseFrame({ frame: "toString" })).toBeUndefined();
    expect(parseFrame({ frame: "heartbeat", more: 1 })).toMatchObject({ frame: "heartbeat" });
    for (const text of ["", "null", "[]", "{", '"x"', "1", '{"frame":7}', new Blob()]) {
      expect(parseText(text)).toBeUndefined();
    }
  });

  it("in a poll's answer costs that event only", () => {
    const event = read("event-devis-signed.json");
    const answer = { resume: "recovered", lastEventId: "1-2", events: [event, { frame: "event" }, 3] };
    expect(parsePoll(answer)?.events).toEqual([event]);
    expect(parsePoll({ ...answer, lastEventId: "x" })).toBeUndefined();
    expect(parsePoll({ ...answer, events: 1 })).toBeUndefined();
  });
});
