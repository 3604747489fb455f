import {
  DoorLockMode,
  DoorLockOperationType,
  KeypadMode,
  type UserCredentialCapability,
  UserCredentialRule,
  UserCredentialType,
  UserCredentialUserType,
  UserIDStatus,
} from "@zwave-js/cc";
import { CommandClasses } from "@zwave-js/core";
import { ccCaps, type MockNodeOptions } from "@zwave-js/testing";

/**
 * `user-code-1`: an old lock that answers stars. `user-code-2`: it answers codes. `user-credential`: users with credentials.
 * Two keep windows as well: `timed-1`, an old one whose clock knows no date, and `timed-2`, which takes windows of users
 * with a code only, and denies a user whose window was taken away.
 */
const zwaveModels = ["user-code-1", "user-code-2", "user-credential", "timed-1", "timed-2"] as const;
export type ZwaveModel = (typeof zwaveModels)[number];
type Capabilities = NonNullable<MockNodeOptions["capabilities"]>;
type Classes = NonNullable<Capabilities["commandClasses"]>;

/** How many slots a lock of a model has. */
const slotsOf: Readonly<Record<ZwaveModel, number>> = {
  "user-code-1": 10,
  "user-code-2": 30,
  "user-credential": 20,
  "timed-1": 8,
  "timed-2": 8,
};
/** Lengths of PINs: those of User Code are the protocol's own. */
export const longestPin = (model: ZwaveModel): number => (model === "user-credential" ? 8 : 10);
export const shortestPin = 4;
/** It says that there is a code, and hides which. */
export const isMasked = (model: ZwaveModel): boolean => model === "user-code-1" || model === "timed-1";

/** All events of the notification type 6, "Access Control", that are about locks and codes. */
const accessControlEvents = [
  ...Array.from({ length: 21 }, (_, index) => index + 1),
  ...Array.from({ length: 20 }, (_, index) => index + 0x20),
];

/** What a lock of a model tells of itself. It sleeps, and listens every second (FLiRS), like nearly all locks. */
export const capabilitiesOf = (model: ZwaveModel): Capabilities => ({
  genericDeviceClass: 0x40,
  specificDeviceClass: 0x03,
  manufacturerId: 0xffff,
  productType: 0x0001,
  productId: zwaveModels.indexOf(model) + 1,
  isListening: false,
  isFrequentListening: "1000ms",
  txDelay: 0,
  commandClasses: [
    CommandClasses.Version,
    CommandClasses["Manufacturer Specific"],
    CommandClasses["Z-Wave Plus Info"],
    CommandClasses.Battery,
    ccCaps({
      ccId: CommandClasses["Door Lock"],
      isSupported: true,
      version: 4,
      supportedOperationTypes: [DoorLockOperationType.Constant],
      supportedDoorLockModes: [DoorLockMode.Unsecured, DoorLockMode.Secured],
      doorSupported: false,
    }),
    ccCaps({
      ccId: CommandClasses.Notification,
      isSupported: true,
      version: 8,
      supportsV1Alarm: false,
      notificationTypesAndEvents: { 6: accessControlEvents },
    }),
    ...memoryOf(model),
  ],
});

function memoryOf(model: ZwaveModel): Classes {
  const numUsers = slotsOf[model];
  switch (model) {
    case "user-code-1":
      return [ccCaps({ ccId: CommandClasses["User Code"], isSupported: true, version: 1, numUsers })];
    case "user-code-2":
      return [CommandClasses.Supervision, userCode2(numUsers)];
    case "timed-1":
      return [
        ccCaps({ ccId: CommandClasses["User Code"], isSupported: true, version: 1, numUsers }),
        schedules(1, { numWeekDaySlots: 7, numYearDaySlots: 1, numDailyRepeatingSlots: 0 }),
        CommandClasses.Clock,
      ];
    case "timed-2":
      return [
        CommandClasses.Supervision,
        userCode2(numUsers),
        schedules(3, { numWeekDaySlots: 0, numYearDaySlots: 1, numDailyRepeatingSlots: 7 }),
        CommandClasses["Time Parameters"],
      ];
    case "user-credential":
      return [
        CommandClasses.Supervision,
        ccCaps({
          ccId: CommandClasses["User Credential"],
          isSupported: true,
          version: 1,
          numberOfSupportedUsers: numUsers,
          supportedCredentialRules: [UserCredentialRule.Single],
          maxUserNameLength: 32,
          supportedUserTypes: [UserCredentialUserType.General],
          supportedCredentialTypes: new Map([
            [UserCredentialType.PINCode, credentials(numUsers, longestPin(model))],
            [UserCredentialType.RFIDCode, credentials(numUsers, 10)],
          ]),
        }),
      ];
  }
}

const userCode2 = (numUsers: number): Classes[number] =>
  ccCaps({
    ccId: CommandClasses["User Code"],
    isSupported: true,
    version: 2,
    numUsers,
    supportsAdminCode: true,
    supportsAdminCodeDeactivation: true,
    supportsUserCodeChecksum: true,
    supportedUserIDStatuses: [UserIDStatus.Available, UserIDStatus.Enabled, UserIDStatus.Disabled],
    supportedKeypadModes: [KeypadMode.Normal],
    supportedASCIIChars: "0123456789",
  });

const schedules = (version: number, counts: Readonly<Record<ScheduleCount, number>>): Classes[number] =>
  ccCaps({ ccId: CommandClasses["Schedule Entry Lock"], isSupported: true, version, ...counts });
type ScheduleCount = "numWeekDaySlots" | "numYearDaySlots" | "numDailyRepeatingSlots";

const credentials = (slots: number, longest: number): UserCredentialCapability => ({
  numberOfCredentialSlots: slots,
  minCredentialLength: shortestPin,
  maxCredentialLength: longest,
  maxCredentialHashLength: 0,
  supportsCredentialLearn: false,
});
