/** What a NAK's code says (reference 1.6; SIA OSDP 2.2.2, 7.3). */
export const nak = {
  badCheck: 1,
  commandLength: 2,
  unknownCommand: 3,
  unexpectedSequence: 4,
  securityBlock: 5,
  securityConditions: 6,
  biometricType: 7,
  biometricFormat: 8,
  record: 9,
} as const;

const words = new Map<number, string>([
  [0, "no error"],
  [nak.badCheck, "the check was wrong"],
  [nak.commandLength, "the command has a wrong length"],
  [nak.unknownCommand, "it does not know the command"],
  [nak.unexpectedSequence, "the sequence number was unexpected"],
  [nak.securityBlock, "it does not support that security block, or has no such key"],
  [nak.securityConditions, "it wants the secure channel for that"],
  [nak.biometricType, "it does not know that kind of biometrics"],
  [nak.biometricFormat, "it does not know that format of biometrics"],
  [nak.record, "it cannot process the record"],
]);

/** In words, for people. */
export const nakWords = (error: number): string => words.get(error) ?? `error ${error}`;
