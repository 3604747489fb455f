const none = {
  commands: 0,
  repeats: 0,
  silences: 0,
  busy: 0,
  /** With the number of another exchange. */
  late: 0,
  /** From another address, or a command that is not ours. */
  foreign: 0,
  /** Said in clear before the channel, and of a kind that is not used then. */
  dropped: 0,
  naks: 0,
  /** Believed, and not of the shape that it must have. */
  malformed: 0,
  breaches: 0,
  restarts: 0,
  channels: 0,
};

/** What was said with one reader, and what went wrong, since the start. */
export type SessionCounts = Readonly<typeof none>;

export const noCounts = (): typeof none => ({ ...none });
