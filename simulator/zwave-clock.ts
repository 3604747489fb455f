import {
  ClockCCGet,
  ClockCCSet,
  ClockCommand,
  CommandClass,
  ScheduleEntryLockCCTimeOffsetSet,
  TimeCCDateReport,
  TimeCCTimeReport,
  TimeParametersCCGet,
  TimeParametersCCSet,
  TimeParametersCommand,
  Weekday,
} from "@zwave-js/cc";
import { CommandClasses } from "@zwave-js/core";
import { Bytes } from "@zwave-js/shared";
import { z } from "zod";
import { clockTimeAt, clockTimeOff } from "../drivers/zwave/codec-clock.ts";

const minuteMs = 60_000;

/** zwave-js sends this command, and has no use for reading it. */
Object.assign(ClockCCSet, {
  from: ({ payload }: { payload: Uint8Array }, { sourceNodeId }: { sourceNodeId: number }) => {
    const [first = 0, minute = 0] = payload;
    const weekday = z.enum(Weekday).parse(first >> 5);
    return new ClockCCSet({ nodeId: sourceNodeId, weekday, hour: first & 0b1_1111, minute });
  },
});

/** A lock's clock, which somebody has to set. All times on its wall are as if they were UTC. */
export class ZwaveClock {
  /** It says yes when it is set, and goes on as it did. */
  isStubborn = false;
  /** By how much it is ahead of UTC: undefined where nobody has set it since it was new. */
  #ahead: number | undefined;
  /** Minutes that it adds to its time before it compares it with a window. */
  #offset = 0;
  #date = 0;

  /** The time that counts for windows, at a moment: undefined where it knows none. */
  wall(at: number): number | undefined {
    return this.#ahead === undefined ? undefined : at + this.#ahead + this.#offset * minuteMs;
  }

  /** What is to outlive the process. */
  kept(): object {
    return { ...(this.#ahead === undefined ? {} : { ahead: this.#ahead }), offset: this.#offset };
  }

  /** From an earlier time; undefined: it is new. */
  restore(kept: unknown): void {
    this.isStubborn = false;
    const { ahead, offset } = clock.parse(kept);
    this.#ahead = ahead;
    this.#offset = offset;
  }

  /** What the lock does and says where a command is about its clock: `done` where it says nothing. */
  answer(cc: CommandClass, nodeId: number): CommandClass | "done" | undefined {
    const now = Date.now();
    const shown = now + (this.#ahead ?? 0);
    if (cc instanceof TimeParametersCCGet) {
      const at = new Date(shown);
      const year = at.getUTCFullYear();
      const [month, day] = [at.getUTCMonth() + 1, at.getUTCDate()];
      const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
      const payload = Bytes.from([year >> 8, year & 0xff, month, day, ...time]);
      const ccId = CommandClasses["Time Parameters"];
      return new CommandClass({ nodeId, ccId, ccCommand: TimeParametersCommand.Report, payload });
    }
    if (cc instanceof ClockCCGet) {
      const { weekday, hour, minute } = clockTimeAt(shown);
      const payload = Bytes.from([(weekday << 5) | hour, minute]);
      return new CommandClass({ nodeId, ccId: CommandClasses.Clock, ccCommand: ClockCommand.Report, payload });
    }
    if (cc instanceof ScheduleEntryLockCCTimeOffsetSet) {
      if (!this.isStubborn) this.#offset = cc.standardOffset;
      // zwave-js's mock keeps what it answers itself.
      return undefined;
    }
    const ahead = this.#aheadBy(cc, now);
    if (ahead === undefined) return undefined;
    if (!this.isStubborn) this.#ahead = ahead;
    return "done";
  }

  #aheadBy(cc: CommandClass, now: number): number | undefined {
    // What is in it is read as UTC, whatever it is.
    if (cc instanceof TimeParametersCCSet) return cc.dateAndTime.getTime() - now;
    if (cc instanceof ClockCCSet) return clockTimeOff(cc, now);
    if (cc instanceof TimeCCDateReport) this.#date = Date.UTC(cc.year, cc.month - 1, cc.day);
    if (!(cc instanceof TimeCCTimeReport)) return undefined;
    return this.#date + ((cc.hour * 60 + cc.minute) * 60 + cc.second) * 1000 - now;
  }
}

const clock = z.object({ ahead: z.number().optional(), offset: z.number().default(0) }).default({ offset: 0 });
