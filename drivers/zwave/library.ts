import { LinkError } from "../driver.ts";

/** The one version that this driver is tested with: it relies on what zwave-js does, beyond what it promises. */
const version = "15.29.0";

/** What this driver uses of zwave-js and of the packages that come with it. */
export type Library = Awaited<ReturnType<typeof load>>;

async function load() {
  const [zwave, commands, { CommandClasses, EncapsulationFlags }, { Bytes }, { db }, { serial }] = await Promise.all([
    import("zwave-js"),
    import("@zwave-js/cc"),
    import("@zwave-js/core"),
    import("@zwave-js/shared"),
    import("@zwave-js/core/bindings/db/jsonl"),
    import("@zwave-js/serial/bindings/node"),
  ]);
  const openPort = serial.createFactoryByPath?.bind(serial);
  if (!openPort) throw new Error("it opens no ports here");
  const { Driver, InterviewStage, NodeStatus } = zwave;
  const { UserCredentialOperationType, UserCredentialType, UserCredentialUserType, UserIDStatus } = zwave;
  const { Weekday } = commands;
  const names = {
    CommandClasses,
    EncapsulationFlags,
    InterviewStage,
    NodeStatus,
    UserCredentialOperationType,
    UserCredentialType,
    UserCredentialUserType,
    UserIDStatus,
    Weekday,
  };
  return { ...names, commands, Driver, Bytes, db, openPort };
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
