import type { CommandClass } from "@zwave-js/cc";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { Library } from "./library.ts";
import { expiresAfter } from "./limits.ts";
import type { Stack } from "./stack.ts";

/**
 * A lock may ask for the time by itself, and zwave-js answers with that of this machine's zone. One that keeps windows gets
 * that on the wall of its door.
 *
 * @param wallOf the time there, as if it were UTC: undefined where zwave-js may answer.
 */
export function answerTime(
  { commands, EncapsulationFlags }: Library,
  stack: Stack,
  wallOf: (nodeId: number) => Milliseconds | undefined,
): void {
  const answerTo = (asked: unknown): CommandClass | undefined => {
    if (!(asked instanceof commands.TimeCC) || typeof asked.nodeId !== "number") return undefined;
    const { nodeId } = asked;
    const wall = wallOf(nodeId);
    if (wall === undefined) return undefined;
    const at = new Date(wall);
    if (asked instanceof commands.TimeCCTimeGet) {
      const [hour, minute, second] = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
      return new commands.TimeCCTimeReport({ nodeId, hour, minute, second });
    }
    if (asked instanceof commands.TimeCCDateGet) {
      const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()];
      return new commands.TimeCCDateReport({ nodeId, year, month, day });
    }
    if (!(asked instanceof commands.TimeCCTimeOffsetGet)) return undefined;
    // What is added to the time on the wall: nothing, also when the clocks will be changed.
    const never = { dstStart: new Date(0), dstEnd: new Date(0) };
    return new commands.TimeCCTimeOffsetReport({ nodeId, standardOffset: 0, dstOffset: 0, ...never });
  };
  stack.onCommand(
    (asked) => answerTo(asked) !== undefined,
    (asked) => {
      const answer = answerTo(asked);
      if (!answer || !(asked instanceof commands.TimeCC)) return;
      const as = { encapsulationFlags: asked.encapsulationFlags & ~EncapsulationFlags.Supervision };
      // A lock that is gone by now has no use for it, and asks again.
      stack.send(answer, { ...as, expire: expiresAfter }).catch(() => undefined);
    },
  );
}
