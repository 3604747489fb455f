import {
  type CommandClass,
  DoorLockCCOperationSet,
  DoorLockMode,
  ScheduleEntryLockCCDailyRepeatingScheduleGet,
  ScheduleEntryLockCCDailyRepeatingScheduleSet,
  ScheduleEntryLockCCWeekDayScheduleGet,
  ScheduleEntryLockCCWeekDayScheduleSet,
  ScheduleEntryLockCCYearDayScheduleGet,
  ScheduleEntryLockCCYearDayScheduleSet,
  ScheduleEntryLockScheduleKind,
  ScheduleEntryLockSetAction,
  UserCodeCCExtendedUserCodeSet,
  UserCodeCCGet,
  UserCodeCCSet,
  UserCredentialCCCredentialGet,
  UserCredentialCCCredentialSet,
  UserCredentialCCUserGet,
  UserCredentialCCUserSet,
  UserCredentialOperationType,
  UserCredentialType,
  UserIDStatus,
} from "@zwave-js/cc";
import { CommandClasses } from "@zwave-js/core";

/** A command over the air that is about a slot of a lock's memory, or tells its bolt to move. */
export interface SlotCommand {
  /** A write gives, a clear takes away. */
  readonly what: "write" | "clear" | "read" | "bolt";
  /**
   * `5`; of a User Credential lock also `user:5`, and `type-2:5` for a credential that is no PIN. `window-1-2:5` is the second
   * entry of the kind 1 (`ScheduleEntryLockScheduleKind`) that says when user 5 may come.
   */
  readonly slot: string;
  /** Whether the lock says what became of it. Where not, the radio's acknowledgement is all. */
  readonly reported: boolean;
}

/** What a command asks of which slot: undefined where it is about none. */
export function slotCommandOf(cc: CommandClass): SlotCommand | undefined {
  if (cc instanceof UserCodeCCGet) return { what: "read", slot: String(cc.userId), reported: true };
  const set = userCodeSetOf(cc);
  if (set) {
    const what = set.userIdStatus === UserIDStatus.Available ? "clear" : "write";
    return { what, slot: String(set.userId), reported: isSupervised(cc) };
  }
  if (cc instanceof DoorLockCCOperationSet) {
    return { what: "bolt", slot: cc.mode === DoorLockMode.Secured ? "locked" : "unlocked", reported: isSupervised(cc) };
  }
  const entry = entryCommandOf(cc);
  if (entry) {
    const { what, kind, userId, slotId } = entry;
    return { what, slot: `window-${kind}-${slotId}:${userId}`, reported: what === "read" || isSupervised(cc) };
  }
  if (cc instanceof UserCredentialCCUserGet) return { what: "read", slot: `user:${cc.userId}`, reported: true };
  if (cc instanceof UserCredentialCCUserSet) {
    return { what: changeOf(cc.operationType), slot: `user:${cc.userId}`, reported: true };
  }
  if (cc instanceof UserCredentialCCCredentialGet) return { what: "read", slot: credentialSlot(cc), reported: true };
  if (cc instanceof UserCredentialCCCredentialSet) {
    return { what: changeOf(cc.operationType), slot: credentialSlot(cc), reported: true };
  }
  return undefined;
}

const isSupervised = (cc: CommandClass): boolean => cc.getEncapsulatingCC(CommandClasses.Supervision) !== undefined;

/** A command that is about when a user may come. */
interface EntryCommand {
  readonly what: "write" | "clear" | "read";
  readonly kind: ScheduleEntryLockScheduleKind;
  readonly userId: number;
  readonly slotId: number;
}

/** What a command asks of an entry that says when a user may come: undefined where it is about none. */
export function entryCommandOf(cc: CommandClass): EntryCommand | undefined {
  for (const [kind, Get, Set] of entryCommands) {
    if (cc instanceof Get) return { what: "read", kind, userId: cc.userId, slotId: cc.slotId };
    if (!(cc instanceof Set)) continue;
    const what = cc.action === ScheduleEntryLockSetAction.Set ? "write" : "clear";
    return { what, kind, userId: cc.userId, slotId: cc.slotId };
  }
  return undefined;
}

const { WeekDay, YearDay, DailyRepeating } = ScheduleEntryLockScheduleKind;
const entryCommands = [
  [WeekDay, ScheduleEntryLockCCWeekDayScheduleGet, ScheduleEntryLockCCWeekDayScheduleSet],
  [YearDay, ScheduleEntryLockCCYearDayScheduleGet, ScheduleEntryLockCCYearDayScheduleSet],
  [DailyRepeating, ScheduleEntryLockCCDailyRepeatingScheduleGet, ScheduleEntryLockCCDailyRepeatingScheduleSet],
] as const;

/** The same question about the next slot: undefined where it is about none. */
export function questionAfter(cc: CommandClass): CommandClass | undefined {
  const { nodeId } = cc;
  if (cc instanceof UserCodeCCGet) return new UserCodeCCGet({ nodeId, userId: cc.userId + 1 });
  for (const [, Get] of entryCommands) {
    if (cc instanceof Get) return new Get({ nodeId, userId: cc.userId + 1, slotId: cc.slotId });
  }
  if (cc instanceof UserCredentialCCUserGet) return new UserCredentialCCUserGet({ nodeId, userId: cc.userId + 1 });
  if (!(cc instanceof UserCredentialCCCredentialGet)) return undefined;
  const { userId, credentialType, credentialSlot } = cc;
  return new UserCredentialCCCredentialGet({ nodeId, userId, credentialType, credentialSlot: credentialSlot + 1 });
}

interface UserCodeSet {
  readonly userId: number;
  readonly userIdStatus: UserIDStatus;
  readonly userCode?: string | Uint8Array | undefined;
}

/** What is to be set in one User Code slot: version 2 has a command of its own for it. */
export function userCodeSetOf(cc: CommandClass): UserCodeSet | undefined {
  if (cc instanceof UserCodeCCSet) return cc;
  return cc instanceof UserCodeCCExtendedUserCodeSet ? cc.userCodes[0] : undefined;
}

const changeOf = (operation: UserCredentialOperationType): "write" | "clear" =>
  operation === UserCredentialOperationType.Delete ? "clear" : "write";

const credentialSlot = (cc: UserCredentialCCCredentialGet | UserCredentialCCCredentialSet): string =>
  cc.credentialType === UserCredentialType.PINCode
    ? String(cc.credentialSlot)
    : `type-${cc.credentialType}:${cc.credentialSlot}`;
