import type { Instant, Milliseconds } from "../agent/domain/instant.ts";
import { type Command, decodeCommand } from "../drivers/osdp/commands.ts";
import { Deframer, type Received } from "../drivers/osdp/deframer.ts";
import { encodeFrame, everyone, type Frame, mark, type SecurityBlock } from "../drivers/osdp/frame.ts";
import { nak } from "../drivers/osdp/nak.ts";
import { encodeReply, type Reply } from "../drivers/osdp/replies.ts";
import { ack, answerTo, refusal } from "./osdp-answers.ts";
import { type Behaviour, behaviour } from "./osdp-behaviour.ts";
import { OsdpDevice, type OsdpHardware, type Report } from "./osdp-device.ts";
import type { OsdpKeyring } from "./osdp-keyring.ts";
import { OsdpSecurity } from "./osdp-security.ts";
import { OsdpTurns } from "./osdp-turns.ts";

/** Bytes that a reader says, and how long it thinks first. */
export interface Said {
  readonly bytes: Uint8Array;
  readonly after: Milliseconds;
}

/** What somebody sees who stands beside a reader. */
export type OsdpSight =
  | { readonly happened: "switched"; readonly at: Instant; readonly output: number; readonly on: boolean }
  | { readonly happened: "moved"; readonly at: Instant; readonly address: number; readonly baud: number }
  | { readonly happened: "secured" | "keyed" | "restarted"; readonly at: Instant };

export interface OsdpReaderOptions {
  /** 0 to 0x7E. */
  readonly address: number;
  readonly baud: number;
  readonly keyring: OsdpKeyring;
  readonly hardware: OsdpHardware;
  /** 8 bytes. */
  readonly cuid: Uint8Array;
  /** 8 bytes for a handshake, others each time. */
  readonly random: () => Uint8Array;
  /** A number from 0 to 1, others each time: how long it thinks. */
  readonly pace: () => number;
  readonly behaviour?: Partial<Behaviour>;
  readonly see?: (sight: OsdpSight) => void;
}

interface Answer {
  readonly reply: Reply;
  /** Not in the session that the command was in. */
  readonly isClear?: boolean;
}

/** Commands that are told by their codes, also where their data is wrong. */
const codes = { id: 0x61, capabilities: 0x62, keyset: 0x75 } as const;
/** Silence after which a link is lost, and what belongs to it (reference 1.5). */
const linkLimit: Milliseconds = 8_000;
/** A pause within a frame that ends it. */
const gapLimit: Milliseconds = 20;
/**
 * A reader at the far end of OSDP (reference 1 to 4), without a wire and a clock: bytes and the time come in, what it says
 * comes out. It does what a command asks once, and says the same again to one that is repeated.
 */
export class OsdpReader {
  readonly device: OsdpDevice;
  readonly keyring: OsdpKeyring;
  readonly #options: OsdpReaderOptions;
  readonly #see: (sight: OsdpSight) => void;
  readonly #security: OsdpSecurity;
  readonly #turns = new OsdpTurns();
  #deframer = new Deframer();
  #behaviour: Behaviour;
  #address: number;
  #baud: number;
  #isOn = true;
  #wasPolled = false;
  #commands = 0;
  #byteAt: Instant | undefined;
  #heardAt: Instant | undefined;

  constructor(options: OsdpReaderOptions, now: Instant) {
    this.#options = options;
    this.#see = options.see ?? (() => undefined);
    this.device = new OsdpDevice(options.hardware, now);
    this.keyring = options.keyring;
    this.#security = new OsdpSecurity(options);
    this.#behaviour = behaviour.parse(options.behaviour ?? {});
    this.#address = options.address;
    this.#baud = options.baud;
  }

  get address(): number {
    return this.#address;
  }

  get baud(): number {
    return this.#baud;
  }

  get isSecure(): boolean {
    return this.#security.isOpen;
  }

  /** When something happens by itself: {@link tick} is to be called then. */
  get next(): Instant | undefined {
    return this.device.outputs.next;
  }

  /** It is another reader in these things from now on. @throws where there are no such, or they are otherwise. */
  behave(change: Partial<Behaviour> | Readonly<Record<string, unknown>>): void {
    this.#behaviour = behaviour.parse({ ...this.#behaviour, ...change });
  }

  /** What comes over the line: what it says to it, in order. */
  onBytes(bytes: Uint8Array, now: Instant): readonly Said[] {
    this.tick(now);
    if (!this.#isOn) return [];
    const isPause = this.#byteAt !== undefined && now - this.#byteAt > gapLimit;
    this.#byteAt = now;
    const { drops_session_on_damage: isFragile } = this.#behaviour;
    const damaged = isFragile ? this.#damaged : 0;
    // What was whole within something damaged would be answered too late.
    if (isPause) this.#deframer.gap();
    const received = this.#deframer.push(bytes);
    if (isFragile && this.#damaged > damaged) this.#security.end();
    return received.flatMap((each) => this.#hear(each, now));
  }

  /** Lets time run on. */
  tick(now: Instant): void {
    for (const switched of this.device.outputs.tick(now)) this.#see({ happened: "switched", ...switched });
    if (this.#heardAt === undefined) return;
    const silence = now - this.#heardAt;
    if (silence >= this.#behaviour.session_limit_ms) this.#security.end();
    if (silence < linkLimit) return;
    this.#restartLink();
    this.#heardAt = undefined;
    if (this.#behaviour.reads === "forgotten") this.device.forgetReads();
  }

  /** Something is shown to it, or typed. Whether it will tell the panel. */
  present(report: Report, now: Instant): boolean {
    this.tick(now);
    const isKept = this.#isOn && (this.#heardAt !== undefined || this.#behaviour.reads === "kept");
    return isKept && this.device.tell(report);
  }

  /** Somebody presses keys: digits, * and #. */
  type(keys: string, now: Instant): boolean {
    const presses = this.#behaviour.gathers_keys ? [keys] : keys.split("");
    return presses.map((each) => this.present({ report: "keys", keys: each }, now)).every(Boolean);
  }

  /** Its power is gone, or comes back: then it has forgotten all but its keys, its address and its rate. */
  power(on: boolean, now: Instant): void {
    this.tick(now);
    if (this.#isOn === on) return;
    this.#isOn = on;
    this.#restartLink();
    this.#heardAt = undefined;
    this.#wasPolled = false;
    this.#commands = 0;
    this.#deframer = new Deframer();
    this.device.restart(now);
    this.tick(now);
    if (on) this.#see({ happened: "restarted", at: now });
  }

  get #damaged(): number {
    const { check, length, layout, cut } = this.#deframer.counts;
    return check + length + layout + cut;
  }

  #restartLink(): void {
    this.#security.end();
    this.#turns.restart();
  }

  #hear({ frame, bytes }: Received, now: Instant): readonly Said[] {
    const isMine = !frame.isReply && (frame.address === this.#address || frame.address === everyone);
    if (!isMine || (frame.check === "crc" && this.#behaviour.checksum_only)) return [];
    this.#heardAt = now;
    this.#wearOut(now);
    const said = this.#turn(frame, bytes, now);
    this.tick(now);
    if (!said) return [];
    const [least, most] = this.#behaviour.reply_ms;
    const marks = Array.from({ length: this.#behaviour.marks }, () => mark);
    return [{ bytes: Uint8Array.from([...marks, ...said]), after: least + this.#options.pace() * (most - least) }];
  }

  #wearOut(now: Instant): void {
    this.#commands += 1;
    const { resets_after: limit } = this.#behaviour;
    if (limit === 0 || this.#commands <= limit) return;
    this.power(false, now);
    this.power(true, now);
    this.#heardAt = now;
  }

  #turn(frame: Frame, bytes: Uint8Array, now: Instant): Uint8Array | undefined {
    if (this.#counts("busy")) return this.#clear({ reply: "BUSY" }, { ...frame, sequence: 0 });
    const isOver = frame.sequence > 0 && this.#counts("sequence_zero");
    const place = isOver ? "lost" : this.#turns.place(frame, bytes, this.#behaviour.repeats_by_code);
    if (typeof place === "object") return place.again;
    if (place === "lost" || frame.sequence === 0) this.#restartLink();
    // It has lost its place, and asks to begin anew.
    if (place === "lost") return this.#clear(refusal(nak.unexpectedSequence), { ...frame, sequence: 0 });
    const said = this.#answer(frame, bytes, now);
    if (said) this.#turns.answered(frame, bytes, said);
    return said;
  }

  #answer(frame: Frame, bytes: Uint8Array, now: Instant): Uint8Array | undefined {
    const { security, code, data } = frame;
    if (security && security.type < 0x15) return this.#handshake(frame, security, now);
    const opened = security ? this.#security.open(frame, bytes) : data;
    // A command in clear ends a session, as does one with a wrong MAC.
    if (!security || !opened) this.#security.end();
    if (!opened) return this.#clear(refusal(nak.securityConditions), frame);
    const command = decodeCommand(code, opened);
    if (command?.command === "ID" && this.#behaviour.poll_first && !this.#wasPolled) return undefined;
    this.#wasPolled ||= command?.command === "POLL";
    return this.#say(this.#perform(frame, command, now), frame);
  }

  #handshake(frame: Frame, given: SecurityBlock, now: Instant): Uint8Array {
    const { reply, block } = this.#security.step(decodeCommand(frame.code, frame.data), given, this.#behaviour) ?? {
      reply: refusal(nak.securityConditions),
    };
    if (this.isSecure) this.#see({ happened: "secured", at: now });
    return this.#clear(reply, frame, block);
  }

  #perform({ code, security }: Frame, command: Command | undefined, now: Instant): Answer {
    if (!security && this.#mustBeSecure(code)) return { reply: refusal(nak.securityConditions) };
    const refused = this.#behaviour.refuses[code];
    if (refused !== undefined) return { reply: refusal(refused) };
    if (!command) return { reply: refusal(nak.commandLength) };
    if (command.command === "KEYSET") return this.#keyset(command, now);
    if (command.command === "COMSET") return this.#comset(command, now);
    return { reply: answerTo(command, { device: this.device, behaviour: this.#behaviour, now }) };
  }

  #mustBeSecure(code: number): boolean {
    if (code === codes.keyset) return true;
    const isHarmless = code === codes.id || code === codes.capabilities;
    return this.keyring.own !== undefined && !this.#behaviour.allows_clear && !isHarmless;
  }

  #keyset({ keyType, key }: Extract<Command, { command: "KEYSET" }>, now: Instant): Answer {
    if (keyType !== 1 || key.reveal().length !== 16) return { reply: refusal(nak.record) };
    this.keyring.set(key.reveal());
    this.#see({ happened: "keyed", at: now });
    return { reply: ack, isClear: this.#behaviour.clear_ack_after_keyset };
  }

  /** What it says is how it will be, and is said as it still is. */
  #comset({ address, baud }: Extract<Command, { command: "COMSET" }>, now: Instant): Answer {
    if (address >= everyone) return { reply: refusal(nak.record) };
    const becomes = this.#options.hardware.bauds.includes(baud) ? baud : this.#baud;
    [this.#address, this.#baud] = [address, becomes];
    this.#see({ happened: "moved", at: now, address, baud: becomes });
    return { reply: { reply: "COM", address, baud: becomes } };
  }

  /** In the session, where the command was in one. */
  #say({ reply, isClear = false }: Answer, frame: Frame): Uint8Array {
    if (!frame.security || isClear) return this.#clear(reply, frame);
    return this.#security.seal(
      { ...this.#head(frame), ...encodeReply(reply) },
      this.#behaviour,
      this.#counts("wrong_mac"),
    );
  }

  #clear(reply: Reply, frame: Frame, security?: SecurityBlock): Uint8Array {
    return encodeFrame({ ...this.#head(frame), ...encodeReply(reply), ...(security ? { security } : {}) });
  }

  #head({ address, sequence, check }: Frame): Pick<Frame, "address" | "isReply" | "sequence" | "check"> {
    return { address, isReply: true, sequence, check: this.#behaviour.always_crc ? "crc" : check };
  }

  /** Whether something that is so a number of times is so this time. */
  #counts(what: "busy" | "sequence_zero" | "wrong_mac"): boolean {
    const left = this.#behaviour[what];
    if (left > 0) this.behave({ [what]: left - 1 });
    return left > 0;
  }
}
