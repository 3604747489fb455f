import type { ZWaveNode } from "zwave-js";
import { Secret } from "../../agent/domain/secret.ts";
import { TimeZone } from "../../agent/domain/time-zone.ts";
import { type Host, LinkError } from "../driver.ts";
import { abilityOf } from "./codec-schedule.ts";
import { saysCodes, type UserCodeAnswer } from "./codec-user-code.ts";
import type { Ask, SlotWork } from "./conversation.ts";
import type { Library } from "./library.ts";
import { type Capacity, mostSlots } from "./limits.ts";
import type { LockTime } from "./lock-time.ts";
import type { Looks } from "./looks.ts";
import { type CodeWork, userCodeWork } from "./memory-user-code.ts";
import { UserCredentialMemory } from "./memory-user-credential.ts";
import { WindowedMemory } from "./memory-windowed.ts";
import type { Send } from "./questions.ts";
import { ScheduleMemory } from "./schedule-memory.ts";
import { setClock } from "./set-clock.ts";
import type { SendTimely } from "./timely.ts";
import type { Users } from "./users.ts";
import { userCodes, userCredentials } from "./verbs.ts";
import { clockOf } from "./verbs-clock.ts";
import { schedules } from "./verbs-schedule.ts";

/** A node of the network, while there is one. */
export interface Wire {
  readonly library: Library;
  readonly homeId: number;
  readonly node: ZWaveNode;
  readonly send: Send;
  readonly sendTimely: SendTimely;
  /** Aborted when the controller is gone. */
  readonly gone: AbortSignal;
}

/** What a lock can be asked to do, and what it says of itself. */
export interface Ready {
  readonly work: SlotWork;
  readonly capacity: () => Promise<Capacity>;
  /** Puts its clock right by the zone of its windows. Absent: it keeps no windows, or has none yet. */
  readonly setClock?: () => Promise<boolean>;
}

export interface ReadyParts {
  readonly who: string;
  readonly address: string;
  readonly state: Host["state"];
  readonly looks: Looks;
  readonly users: () => Users;
  readonly time: () => LockTime;
  readonly isTimeTrusted: () => boolean;
  readonly duplicates: () => number;
  /** The lock was seen to lose a window. */
  readonly lost: () => void;
  /** Its clock will not be set. */
  readonly untimed: () => void;
}

/**
 * Finds out what kind of lock a node is.
 *
 * @throws LinkError where it is silent, or no lock with codes.
 */
export async function readyFor(wire: Wire, ask: Ask, parts: ReadyParts): Promise<Ready> {
  const { node, library } = wire;
  if (node.supportsCC(library.CommandClasses["User Credential"])) return userCredentialLock(wire, ask, parts);
  if (node.supportsCC(library.CommandClasses["User Code"])) return userCodeLock(wire, ask, parts);
  throw new LinkError(`${parts.who} has no codes`, {
    sent: false,
    hint: "check that it is a lock with a keypad, and that it was included with its security keys",
  });
}

async function userCredentialLock({ node, library, send }: Wire, ask: Ask, parts: ReadyParts): Promise<Ready> {
  const { who, looks } = parts;
  const { verbs, pins } = userCredentials(node, library, send);
  const pin = await present(who, pins(ask));
  const slots = Math.min(await users(node, verbs, ask, who), pin.slots, mostSlots);
  const { shortest, longest } = pin;
  return {
    work: new UserCredentialMemory({ slots, shortest, longest, who, verbs, users: parts.users(), seen: looks.places }),
    capacity: async () => {
      await present(
        who,
        ask(() => verbs.countUsers()),
      );
      const onBattery = !node.isListening;
      return { ...pin, slots, characters: undefined, windows: "none", suspends: true, onBattery };
    },
  };
}

async function userCodeLock(wire: Wire, ask: Ask, parts: ReadyParts): Promise<Ready> {
  const { node, library, send } = wire;
  const { who, looks } = parts;
  const { verbs, supervised, version, characters, ...more } = userCodes(node, library, send);
  const suspends = await present(who, more.suspends(ask));
  const windowed = await windowedBy(wire, ask, parts);
  const most = windowed ? mostWindowedSlots : mostSlots;
  const codes = userCodeWork({
    who,
    slots: Math.min(await users(node, verbs, ask, who), most),
    isSupervised: supervised,
    suspends,
    verbs,
    seen: looks.slots,
    duplicates: parts.duplicates,
    heard: (answer) => heard(answer, version, parts),
  });
  const { windows = "none", memory = () => codes, setClock: set } = windowed ?? {};
  return {
    work: memory(codes),
    capacity: async () => {
      const counted = await present(
        who,
        ask(() => verbs.countUsers()),
      );
      // The lengths that the command class has; it has no way for a lock to say its own.
      const lengths = { shortest: 4, longest: 10 };
      const says = { characters, saysCodes: saysCodesOf(version, parts) };
      return { slots: Math.min(counted, most), ...lengths, ...says, windows, suspends, onBattery: !node.isListening };
    },
    ...(set ? { setClock: set } : {}),
  };
}

/** Schedule Entry Lock has a byte for the number of a user. */
const mostWindowedSlots = 0xff;

/** What a lock with User Code is that can keep windows: undefined where it cannot, or where nobody can set its clock. */
async function windowedBy({ node, library, send }: Wire, ask: Ask, parts: ReadyParts) {
  const { who, looks } = parts;
  const clock = clockOf(node, library, send);
  if (!clock || !node.supportsCC(library.CommandClasses["Schedule Entry Lock"])) return undefined;
  const time = parts.time();
  const { verbs, ...more } = schedules(node, library, send);
  const counts = await present(who, more.counts(ask));
  const windows = time.losesWindows ? "none" : abilityOf(counts, clock.knows);
  const isSupervised = node.supportsCC(library.CommandClasses.Supervision);
  const right = async (zone: TimeZone): Promise<boolean> => {
    if (parts.isTimeTrusted()) return setClock(who, clock, time, zone, ask);
    throw new LinkError(`the clock of ${who} cannot be set while our own is not trusted`, {
      sent: false,
      hint: "latchd clock says why it is not",
    });
  };
  const { zone } = time;
  return {
    windows,
    memory: (codes: CodeWork): SlotWork =>
      new WindowedMemory({
        who,
        codes,
        counts,
        ability: windows,
        time,
        doubts: looks.doubts,
        lost: parts.lost,
        zone: new TimeZone(Intl.DateTimeFormat().resolvedOptions().timeZone),
        schedules: new ScheduleMemory({ verbs, counts, isSupervised, seen: looks.schedules }),
        async setClock(wanted) {
          time.moveTo(wanted);
          const isRight = !time.isDue || (await right(wanted));
          if (!isRight) parts.untimed();
          return isRight;
        },
      }),
    ...(zone ? { setClock: () => right(zone) } : {}),
  };
}

async function users(
  node: ZWaveNode,
  verbs: { countUsers(): Promise<number | undefined> },
  ask: Ask,
  who: string,
): Promise<number> {
  const known = node.accessControl?.getUserCapabilitiesCached().maxUsers;
  return (
    known ||
    (await present(
      who,
      ask(() => verbs.countUsers()),
    ))
  );
}

async function present<T>(who: string, answer: Promise<T | undefined>): Promise<T> {
  const said = await answer;
  if (said !== undefined) return said;
  throw new LinkError(`${who} does not answer`, {
    sent: false,
    hint: "check the lock's batteries and its distance to the controller or a repeater",
  });
}

/** Version 1 allows a lock to answer stars, and many do: it is held for one of them until it has said a code. */
function saysCodesOf(version: number, { state, address }: ReadyParts): boolean {
  const kept = state.get(saysKey(address))?.reveal();
  return kept === undefined ? version >= 2 : kept === "yes";
}

function heard(answer: UserCodeAnswer, version: number, parts: ReadyParts): void {
  const says = saysCodes(answer);
  if (says === undefined || says === saysCodesOf(version, parts)) return;
  parts.state.set(saysKey(parts.address), new Secret(says ? "yes" : "no"));
}

const saysKey = (address: string): string => `says_codes.${address}`;
