import { LinkError } from "../driver.ts";
import { openSerialLine, type SerialLine } from "../shared/serial-line.ts";

/** The one version that this driver is tested with: it relies on what zwave-js does, beyond what it promises. */
const version = "15.29.0";

/** What this driver uses of zwave-js and of the packages that come with it. */
export type Library = Awaited<ReturnType<typeof load>>;

async function load() {
  const [zwave, commands, core, { Bytes }, { db }, { SerialPort }] = await Promise.all([
    import("zwave-js"),
    import("@zwave-js/cc"),
    import("@zwave-js/core"),
    import("@zwave-js/shared"),
    import("@zwave-js/core/bindings/db/jsonl"),
    import("serialport"),
  ]);
  const { CommandClasses, EncapsulationFlags, MessagePriority, ZWaveError, ZWaveErrorCodes } = core;
  const { Driver, InterviewStage, NodeStatus } = zwave;
  const { UserCredentialOperationType, UserCredentialType, UserCredentialUserType, UserIDStatus } = zwave;
  const { Weekday } = commands;
  const names = {
    CommandClasses,
    EncapsulationFlags,
    InterviewStage,
    MessagePriority,
    NodeStatus,
    UserCredentialOperationType,
    UserCredentialType,
    UserCredentialUserType,
    UserIDStatus,
    Weekday,
  };
  const openLine = (port: string): Promise<SerialLine> => openSerialLine(port, { Port: SerialPort, baudRate: 115_200 });
  /** In the words that zwave-js knows for a line that has ended by itself. */
  const lineClosed = (): Error =>
    new ZWaveError("The serial port closed unexpectedly!", ZWaveErrorCodes.Driver_SerialPortClosed);
  /** In the words that it has for a command that has waited for too long. */
  const expired = (): Error => new ZWaveError("The message has expired", ZWaveErrorCodes.Controller_MessageExpired);
  return { ...names, commands, Driver, Bytes, db, openLine, lineClosed, expired };
}

/** zwave-js, which is installed only by those who need it. Rejects with {@link LinkError} where it is not there. */
export async function loadLibrary(from: () => Promise<Library> = load): Promise<Library> {
  try {
    return await from();
  } catch (cause) {
    throw new LinkError(`zwave-js ${version} is not installed`, {
      sent: false,
      hint: `npm install --no-save zwave-js@${version} installs it`,
      cause,
    });
  }
}
