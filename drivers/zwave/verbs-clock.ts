import type { ZWaveNode } from "zwave-js";
import { clockTimeAt, clockTimeOff, timeParametersAt } from "./codec-clock.ts";
import type { Library } from "./library.ts";
import { asker, type Send } from "./questions.ts";
import type { ClockVerbs } from "./set-clock.ts";
import { changing, reading } from "./verbs.ts";

/** The clock of a lock that can be set and looked at: undefined where it has none such. */
export function clockOf(node: ZWaveNode, library: Library, send: Send): ClockVerbs | undefined {
  const { CommandClasses, commands } = library;
  const ask = asker(send, reading);
  const offset = offsetOf(node, library);
  const nodeId = node.id;
  if (node.supportsCC(CommandClasses["Time Parameters"])) {
    const isLocal = isReadAsLocal(node, library);
    return {
      knows: "date",
      tolerance: 30_000,
      async off(wall) {
        const said = await ask(
          new commands.TimeParametersCCGet({ nodeId }),
          commands.TimeParametersCCReport,
          () => true,
        );
        return said && said.dateAndTime.getTime() - timeParametersAt(wall, isLocal).getTime();
      },
      // zwave-js's API would set this machine's zone.
      set: (wall) =>
        send(new commands.TimeParametersCCSet({ nodeId, dateAndTime: new Date(wall), useLocalTime: false }), changing),
      ...offset,
    };
  }
  if (!node.supportsCC(CommandClasses.Clock)) return undefined;
  const { Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, Unknown } = library.Weekday;
  const days = [Unknown, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
  return {
    knows: "week",
    tolerance: 90_000,
    async off(wall) {
      const said = await ask(new commands.ClockCCGet({ nodeId }), commands.ClockCCReport, () => true);
      return said && clockTimeOff(said, wall);
    },
    set: (wall) => {
      const { hour, minute, weekday } = clockTimeAt(wall);
      return node.commandClasses.Clock.withOptions(changing).set(hour, minute, days[weekday] ?? Unknown);
    },
    ...offset,
  };
}

function offsetOf(node: ZWaveNode, { CommandClasses }: Library): Pick<ClockVerbs, "offset"> {
  const none = { standardOffset: 0, dstOffset: 0, startDate: new Date(0), endDate: new Date(0) };
  const { Time: time, "Schedule Entry Lock": schedules } = node.commandClasses;
  if (node.supportsCC(CommandClasses.Time) && time.version >= 2) {
    return {
      offset: {
        get: () => time.withOptions(reading).getTimezone(),
        clear: () => time.withOptions(changing).setTimezone(none),
      },
    };
  }
  if (node.supportsCC(CommandClasses["Schedule Entry Lock"]) && schedules.version >= 2) {
    return {
      offset: {
        get: () => schedules.withOptions(reading).getTimezone(),
        clear: () => schedules.withOptions(changing).setTimezone(none),
      },
    };
  }
  return {};
}

/** How zwave-js commands the Time Parameters of a node: for one that cannot ask for the zone, it takes them for local. */
function isReadAsLocal(node: ZWaveNode, { CommandClasses }: Library): boolean {
  const version = node.getCCVersion(CommandClasses.Time);
  const asks = version >= 1 && node.controlsCC(CommandClasses.Time);
  const isTold = version >= 2 && node.supportsCC(CommandClasses.Time);
  return !(node.deviceConfig?.compat?.useUTCInTimeParametersCC || asks || isTold);
}
