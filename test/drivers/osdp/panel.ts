import { instant } from "../../../agent/domain/instant.ts";
import { decodeCommand } from "../../../drivers/osdp/commands.ts";
import { Deframer } from "../../../drivers/osdp/deframer.ts";
import type { Happening } from "../../../drivers/osdp/happening.ts";
import { Key } from "../../../drivers/osdp/key.ts";
import { Session } from "../../../drivers/osdp/session.ts";
import type { SessionOptions } from "../../../drivers/osdp/session-options.ts";
import { fromHex, type Scenario, type TraceFrame, toHex } from "./trace.ts";

export const keyOf = (hex: string | undefined): Key => new Key(fromHex(hex ?? ""));

/** What a session sends of itself, when it has nothing else to do. */
const ownCommands = new Set(["ID", "CAP", "CHLNG", "SCRYPT", "POLL"]);

/** A session whose far end is a recorded one: it has the random bytes of the recording, and polls whenever it may. */
export class Replay {
  readonly session: Session;
  readonly happenings: Happening[] = [];
  /** What it has sent, hex. */
  readonly sent: string[] = [];
  readonly #frames: readonly TraceFrame[];
  readonly #deframer = new Deframer();
  #now = instant(1_000_000);

  constructor({ frames }: Scenario, options: Partial<SessionOptions>, address = 1) {
    this.#frames = frames.filter(({ addr }) => addr === address || (address === 1 && addr === 2));
    const randoms = frames.filter(({ name, addr }) => name === "CHLNG" && addr === address).map(({ plain }) => plain);
    this.session = new Session({
      address,
      check: frames[0]?.check === "sum" ? "checksum" : "crc",
      security: "required",
      keys: [],
      random: () => fromHex(randoms.shift() ?? "0102030405060708"),
      pollEvery: 0,
      greeting: [
        { command: "ID", kind: 0 },
        { command: "CAP", kind: 0 },
      ],
      questions: [],
      challengeAtZero: true,
      ...options,
    });
  }

  /** @returns what the recorded panel has sent, hex, up to the frame `last`. */
  play(last = Number.POSITIVE_INFINITY): readonly string[] {
    const frames = this.#frames.filter(({ n }) => n <= last);
    for (const frame of frames) {
      this.#now = instant(1_000_000 + Math.round((frame.t ?? frame.n * 0.1) * 1000));
      if (frame.dir === ">") this.#ask(frame);
      else this.#answer(fromHex(frame.hex));
    }
    return frames.filter(({ dir }) => dir === ">").map(({ hex }) => hex);
  }

  #ask(frame: TraceFrame): void {
    const before = this.#frames.findLast(({ n, dir }) => n < frame.n && dir === ">");
    // Two commands in a row: the reply to the first was lost.
    if (this.session.isAwaiting) this.session.silence(this.#now);
    else if (frame.hex !== before?.hex) this.#want(frame);
    const bytes = this.session.turn(this.#now);
    this.#take();
    if (bytes) this.sent.push(toHex(bytes));
  }

  #want({ n, code, name, scs, plain }: TraceFrame): void {
    const isOwn = ownCommands.has(name) && !(name === "CAP" && scs !== undefined);
    // One was damaged on the line, so that it is known by its repeat only.
    const whole = plain ?? this.#frames.find((frame) => frame.n > n)?.plain ?? "";
    const command = isOwn ? undefined : decodeCommand(code, fromHex(whole));
    if (command?.command === "KEYSET") this.session.rotate(command.key);
    else if (command) this.session.want({ id: String(n), command, deadline: instant(this.#now + 2_000) });
  }

  #answer(bytes: Uint8Array): void {
    for (const received of this.#deframer.push(bytes)) this.session.hear(received, this.#now);
    this.#take();
  }

  #take(): void {
    this.happenings.push(...this.session.take());
  }
}
