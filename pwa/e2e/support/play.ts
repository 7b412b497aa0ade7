import { afterAll, afterEach, beforeAll } from "vitest";
import { type House, Stage, type StageOptions } from "./stage";

/** What the tests of one file play on: a stage of their own, and houses that are left after each test. */
export interface Play {
  readonly stage: Stage;
  house(tokenSeconds?: number): Promise<House>;
}

export function play(options?: StageOptions): Play {
  let stage: Stage;
  let houses: House[] = [];
  beforeAll(async () => {
    stage = await Stage.start(options);
  });
  afterEach(async () => {
    for (const house of houses) await house.leave();
    houses = [];
  });
  afterAll(() => stage?.stop());
  return {
    get stage() {
      return stage;
    },
    async house(tokenSeconds) {
      const house = await stage.house(tokenSeconds);
      houses.push(house);
      return house;
    },
  };
}
