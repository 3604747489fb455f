import type { MemoryLimits } from "../../agent/domain/abilities.ts";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { Device } from "./codec-bridge.ts";
import { type Caps, slotOf } from "./codec-lock.ts";

/** zigbee2mqtt sends what it could not deliver for this long, to a lock that asks for it (lock-interfaces, 1.3.5). */
const queuedFor: Milliseconds = 86_400_000;
/** To one that listens all the time it sends at once, again where that fails: what has not arrived by then will not. */
const delayedFor: Milliseconds = 120_000;
/** For a lock that does not say: what nearly all take. */
const assumedUsers = 10;
const assumedLengths = { shortest: 4, longest: 8 };
/** More than any lock has: a larger number is no number of slots. */
const mostUsers = 1000;
const longestPin = 16;

/** What a lock's memory takes, from its own word. `assumed`: it did not say how many. */
export function limitsOf(
  device: Device,
  caps: Caps,
  saysPins: boolean,
): { limits: MemoryLimits; users: number; assumed: boolean } {
  const said = inRange(caps.numOfPinUsersSupported, mostUsers);
  const users = said ?? assumedUsers;
  // One converter has the two the wrong way round (lock-interfaces, 1.4).
  const ends = [
    inRange(caps.minPinLen, longestPin) ?? assumedLengths.shortest,
    inRange(caps.maxPinLen, longestPin) ?? assumedLengths.longest,
  ];
  const [shortest, longest] = [Math.min(...ends), Math.max(...ends)];
  const cost = device.battery ? "battery" : "cheap";
  return {
    users,
    assumed: said === undefined,
    limits: {
      kinds: new Map([
        [
          "pin",
          {
            slots: Array.from({ length: users }, (_, user) => slotOf(user)),
            lengths: Array.from({ length: longest - shortest + 1 }, (_, more) => shortest + more),
            alphabet: "0123456789",
            rules: [],
          },
        ],
      ]),
      windows: "none",
      readBack: saysPins ? "full" : "occupancy",
      cost: { read: cost, write: cost },
      settles: device.pollControl ? queuedFor : delayedFor,
    },
  };
}

const inRange = (said: number | undefined, most: number): number | undefined =>
  said !== undefined && Number.isInteger(said) && said >= 1 && said <= most ? said : undefined;
