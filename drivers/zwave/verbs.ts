import type { UserCredentialCapability } from "@zwave-js/cc";
import type { ZWaveNode } from "zwave-js";
import type { Ask } from "./conversation.ts";
import type { Library } from "./library.ts";
import { expiresAfter } from "./limits.ts";
import type { UserCodeVerbs } from "./memory-user-code.ts";
import type { UserCredentialVerbs } from "./memory-user-credential.ts";
import { questionsTo, type Send } from "./questions.ts";

export const reading = { expire: expiresAfter };
/** zwave-js would send it three times where it is not acknowledged: whether to repeat it is not its to decide. */
export const changing = { ...reading, maxSendAttempts: 1 };

/** The commands of a lock with User Code. */
export function userCodes(node: ZWaveNode, library: Library, send: Send) {
  const { CommandClasses, UserIDStatus } = library;
  const api = node.commandClasses["User Code"];
  const once = api.withOptions(changing);
  const kept = (): readonly number[] | undefined =>
    node.getValue({ commandClass: CommandClasses["User Code"], property: "supportedUserIDStatuses" });
  const verbs: UserCodeVerbs & { countUsers(): Promise<number | undefined> } = {
    get: questionsTo(node.id, send, library, reading).code,
    set: (user, as, code) => once.set(user, as === "enabled" ? UserIDStatus.Enabled : UserIDStatus.Disabled, code),
    clear: (user) => once.clear(user),
    countUsers: () => api.withOptions(reading).getUsersCount(),
  };
  return {
    verbs,
    supervised: node.supportsCC(CommandClasses.Supervision),
    version: api.version,
    characters: node.getValue<string>({ commandClass: CommandClasses["User Code"], property: "supportedASCIIChars" }),
    /** Whether the lock can have a code that does not open; undefined where it is silent. Version 1 cannot say. */
    suspends: async (ask: Ask): Promise<boolean | undefined> => {
      if (api.version < 2) return false;
      // zwave-js may have been killed before it kept what it had found.
      if (!kept() && !(await ask(() => api.withOptions(reading).getCapabilities()))) return undefined;
      return kept()?.includes(UserIDStatus.Disabled) ?? false;
    },
  };
}

/** The commands of a lock with User Credential, and the PINs that it can hold. */
export function userCredentials(node: ZWaveNode, library: Library, send: Send) {
  const { Bytes, UserCredentialOperationType: operation, UserCredentialType } = library;
  const pinCode = UserCredentialType.PINCode;
  const general = library.UserCredentialUserType.General;
  const api = node.commandClasses["User Credential"];
  const asking = questionsTo(node.id, send, library, reading);
  const once = api.withOptions(changing);
  const patient = api.withOptions(reading);
  const verbs: UserCredentialVerbs & { countUsers(): Promise<number | undefined> } = {
    getUser: asking.user,
    addUser: (userId) => once.setUser({ operationType: operation.Add, userId, active: true, userType: general }),
    setActive: (userId, active) => once.setUser({ operationType: operation.Modify, userId, active, userType: general }),
    deleteUser: (userId) => once.setUser({ operationType: operation.Delete, userId }),
    getPin: asking.pin,
    setPin: (how, userId, credentialSlot, digits) =>
      once.setCredential({
        operationType: how === "add" ? operation.Add : operation.Modify,
        userId,
        credentialType: pinCode,
        credentialSlot,
        credentialData: Bytes.from(digits, "utf8"),
      }),
    deletePin: (userId, credentialSlot) =>
      once.setCredential({ operationType: operation.Delete, userId, credentialType: pinCode, credentialSlot }),
    countUsers: async () => (await patient.getUserCapabilities())?.numberOfSupportedUsers,
  };
  const told = (): UserCredentialCapability | undefined =>
    node.accessControl?.getCredentialCapabilitiesCached().supportedCredentialTypes.get(pinCode);
  return {
    verbs,
    /** Resolves to undefined where the lock is silent; a lock that takes no PINs has none of it. */
    pins: async (ask: Ask): Promise<PinCapacity | undefined> => {
      // zwave-js keeps that a lock was interviewed at once, and what that found a while later: a kill comes between.
      const known = told();
      if (!known && !(await ask(() => patient.getCredentialCapabilities()))) return undefined;
      return capacityOf(told());
    },
  };
}

interface PinCapacity {
  readonly slots: number;
  readonly shortest: number;
  readonly longest: number;
  readonly saysCodes: boolean;
}

const capacityOf = (pins: UserCredentialCapability | undefined): PinCapacity => ({
  slots: pins?.numberOfCredentialSlots ?? 0,
  shortest: pins?.minCredentialLength ?? 0,
  longest: pins?.maxCredentialLength ?? 0,
  // A lock that keeps only a hash of a code cannot say it.
  saysCodes: pins?.maxCredentialHashLength === 0,
});
