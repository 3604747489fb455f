import type { Capability } from "./replies.ts";

/** What a reader says it can do (reference 2.3), in the terms of a door. Nothing about security is decided by it. */
export interface ReaderAbilities {
  readonly inputs: number;
  readonly outputs: number;
  /** Its outputs go back by themselves after a time that they are told. */
  readonly timedOutputs: boolean;
  readonly leds: number;
  readonly sound: boolean;
  /** Lines of text. */
  readonly text: number;
  readonly crc: boolean;
  /** It knows AES-128. */
  readonly secureChannel: boolean;
  /** The longest frame that it takes, in bytes. */
  readonly receives: number;
  /** Heads behind it, itself not counted. */
  readonly readers: number;
  /** 0 unknown, 1 IEC, 2 SIA 2.2, 3 2.2.1, 4 2.2.2. */
  readonly version: number;
}

/** Each reader takes a frame of this length (5.6), and assumes the same of a panel. */
const assumedReceive = 128;

/** A function that is there twice is taken as it is there first. */
export function abilitiesOf(capabilities: readonly Capability[]): ReaderAbilities {
  const the = (wanted: number): Capability =>
    capabilities.find((one) => one.function === wanted) ?? { function: wanted, level: 0, number: 0 };
  const buffer = the(10);
  return {
    inputs: the(1).number,
    outputs: the(2).number,
    timedOutputs: the(2).level >= 3,
    leds: the(4).level > 0 ? the(4).number : 0,
    sound: the(5).level > 0,
    text: [0, 1, 2, 4][the(6).level] ?? 0,
    crc: the(8).level > 0,
    secureChannel: (the(9).level & 1) > 0,
    receives: Math.max(buffer.level + buffer.number * 256, assumedReceive),
    readers: the(13).number,
    version: the(16).level,
  };
}
