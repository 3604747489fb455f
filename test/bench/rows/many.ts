import type { Bench } from "../bench.ts";
import { doorOf, doorsOn, lockOf, slowLock, upTo } from "../house.ts";
import { Site } from "../site.ts";

const row = "many";
const locks = 64;
/** No two locks are equally fast; the slowest takes half a second for a write, as real ones do. */
const answersIn = (lock: number): number => Math.round(100 + (400 * lock) / locks);
const linkOf = (door: number): string => `link-${door}`;

export const many: Bench = {
  name: "many",
  rows: [row],
  unit: { [row]: "ms" },

  async *rounds(context) {
    const [rounds, codes] = context.quick ? [1, 1] : [5, 3];
    const links = Object.fromEntries(upTo(locks).map((door) => [linkOf(door), { driver: "simulated", slots: 100 }]));
    const config = { links, devices: doorsOn(linkOf, locks) };
    await using site = await Site.open(context, "many", config, ({ dataDir }) => {
      for (const door of upTo(locks))
        slowLock(dataDir, { link: linkOf(door), lock: lockOf(door), ms: answersIn(door), to: ["write"] });
    });
    const grant = (name: string, doors: readonly number[]): Promise<number> =>
      site.cloud.grant(
        doors.flatMap((door) =>
          upTo(codes).map((code) => ({ identity: `${name}-${door}-${code}`, device: doorOf(door) })),
        ),
      );
    await grant("first", upTo(locks));
    await site.agent.loopDelay();
    for (const round of upTo(rounds)) {
      context.progress(`many: round ${round} of ${rounds}`);
      const reference = await grant(`alone-${round}`, [locks]);
      const latchd = await grant(`all-${round}`, upTo(locks));
      context.delayed("many", await site.agent.loopDelay());
      yield { [row]: { latchd, reference } };
    }
  },
};
