import type { ZWaveNode } from "zwave-js";
import type { Library } from "./library.ts";
import { expiresAfter } from "./limits.ts";
import type { UserCodeVerbs } from "./memory-user-code.ts";
import type { UserCredentialVerbs } from "./memory-user-credential.ts";

const reading = { expire: expiresAfter };
/** zwave-js would send it three times where it is not acknowledged: whether to repeat it is not its to decide. */
const changing = { ...reading, maxSendAttempts: 1 };

/** The commands of a lock with User Code. */
export function userCodes(node: ZWaveNode, { CommandClasses, UserIDStatus }: Library) {
  const api = node.commandClasses["User Code"];
  const verbsOf = (options: object): UserCodeVerbs => {
    const with_ = api.withOptions(options);
    return {
      get: (user) => with_.get(user),
      enable: (user, code) => with_.set(user, UserIDStatus.Enabled, code),
      clear: (user) => with_.clear(user),
    };
  };
  return {
    verbs: { ...verbsOf(reading), countUsers: () => api.withOptions(reading).getUsersCount() },
    once: verbsOf(changing),
    supervised: node.supportsCC(CommandClasses.Supervision),
    version: api.version,
    characters: node.getValue<string>({ commandClass: CommandClasses["User Code"], property: "supportedASCIIChars" }),
  };
}

/** The commands of a lock with User Credential, and what it can hold as it said when it was interviewed. */
export function userCredentials(node: ZWaveNode, library: Library) {
  const { Bytes, UserCredentialOperationType: operation, UserCredentialType } = library;
  const pinCode = UserCredentialType.PINCode;
  const general = library.UserCredentialUserType.General;
  const api = node.commandClasses["User Credential"];
  const asking = api.withOptions(reading);
  const once = api.withOptions(changing);
  const pins = node.accessControl?.getCredentialCapabilitiesCached().supportedCredentialTypes.get(pinCode);
  const users = node.accessControl?.getUserCapabilitiesCached().maxUsers ?? 0;
  const verbs: UserCredentialVerbs & { countUsers(): Promise<number | undefined> } = {
    getUser: (userId) => asking.getUser(userId),
    addUser: (userId) => once.setUser({ operationType: operation.Add, userId, active: true, userType: general }),
    deleteUser: (userId) => once.setUser({ operationType: operation.Delete, userId }),
    getPin: (slot) => asking.getCredential(0, pinCode, slot),
    setPin: (how, userId, credentialSlot, digits) =>
      once.setCredential({
        operationType: how === "add" ? operation.Add : operation.Modify,
        userId,
        credentialType: pinCode,
        credentialSlot,
        credentialData: Bytes.from(digits, "utf8"),
      }),
    countUsers: async () => (await asking.getUserCapabilities())?.numberOfSupportedUsers,
  };
  return {
    verbs,
    capabilities: {
      slots: Math.min(users, pins?.numberOfCredentialSlots ?? 0),
      shortest: pins?.minCredentialLength ?? 0,
      longest: pins?.maxCredentialLength ?? 0,
      characters: undefined,
      // A lock that keeps only a hash of a code cannot say it.
      saysCodes: pins?.maxCredentialHashLength === 0,
    },
  };
}
