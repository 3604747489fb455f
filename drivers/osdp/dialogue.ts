import type { Command } from "./commands.ts";
import { encodeCommand } from "./commands.ts";
import type { Received } from "./deframer.ts";
import { type Check, encodeFrame, mark, type SecurityBlock } from "./frame.ts";
import { nobody, type Overhears } from "./overhears.ts";
import type { Pending, Protection } from "./pending.ts";
import { type SessionKeys, unwrap, type WrapFault, type Wrapped, wipe, wrap } from "./secure-channel.ts";

/**
 * The numbers and the chain of MACs of one reader (reference 1.4, 3.3). They move on when an exchange has succeeded, and
 * only then: the next number is what tells a reader that its reply has come.
 */
export class Dialogue {
  address: number;
  readonly #check: Check;
  #next = 0;
  readonly #overhears: Overhears;
  #channel: { readonly keys: SessionKeys; readonly mac: Uint8Array; readonly protection: Protection } | undefined;
  #pending: Pending | undefined;
  #isRepeated = false;

  constructor(address: number, check: Check, overhears: Overhears = nobody) {
    this.address = address;
    this.#check = check;
    this.#overhears = overhears;
  }

  get pending(): Pending | undefined {
    return this.#pending;
  }

  /** Whether it was sent more than once: an answer to it may be to any of them. */
  get isRepeated(): boolean {
    return this.#isRepeated;
  }

  /** From the number 0 on: the reader forgets channel and replies, and so do we. */
  begin(): void {
    this.#pending = undefined;
    this.#next = 0;
    if (this.#channel) wipe(this.#channel.keys);
    this.#channel = undefined;
  }

  /** @param security of the handshake; in the channel there is none to be given. @returns the bytes for the line. */
  send(command: Command, security?: SecurityBlock): Uint8Array {
    const sequence = this.#next;
    const { code, data } = encodeCommand(command);
    const frame = { address: this.address, isReply: false, sequence, check: this.#check, code, data };
    const sent: Wrapped | { readonly bytes: Uint8Array } = this.#channel
      ? wrap(frame, this.#channel.keys, this.#channel.mac)
      : { bytes: encodeFrame({ ...frame, ...(security ? { security } : {}) }) };
    this.#pending = { command, code, sequence, ...sent, protection: this.#channel?.protection ?? "clear" };
    return this.#say(this.#pending, false);
  }

  again(pending: Pending): Uint8Array {
    return this.#say(pending, true);
  }

  /** Whose a frame is. `echo`: what we have sent. `command`: somebody else's. */
  whose({ frame, bytes }: Received): "reply" | "echo" | "command" | "foreign" {
    const sent = this.#pending?.bytes ?? new Uint8Array();
    if (!frame.isReply) return Buffer.compare(bytes, sent) === 0 ? "echo" : "command";
    return frame.address === (sent[1] ?? this.address) ? "reply" : "foreign";
  }

  /** The data of a believed reply. In the channel its MAC is proven, and the chain moves on with it. */
  open(received: Received): Uint8Array | WrapFault {
    const data = this.#open(received);
    this.#overhears.opened(received, data);
    return data;
  }

  #open(received: Received): Uint8Array | WrapFault {
    if (!received.frame.mac) return received.frame.data;
    if (!this.#channel || !this.#pending?.mac) return "mac";
    const opened = unwrap(received, this.#channel.keys, this.#pending.mac);
    if (typeof opened === "string") return opened;
    this.#channel = { ...this.#channel, mac: opened.mac };
    return opened.data;
  }

  /** The exchange has succeeded. */
  settle(): void {
    this.#pending = undefined;
    this.#next = (this.#next % 3) + 1;
  }

  /** @param mac with which the chain begins. */
  enter(keys: SessionKeys, mac: Uint8Array, protection: Protection): void {
    this.#channel = { keys, mac, protection };
  }

  #say(pending: Pending, isRepeat: boolean): Uint8Array {
    this.#isRepeated = isRepeat;
    this.#overhears.sent(pending, isRepeat);
    return Uint8Array.of(mark, ...pending.bytes);
  }
}
