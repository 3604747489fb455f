import type { Command } from "../drivers/osdp/commands.ts";
import { beforeMac, closeFrame, type Frame, macInput, type SecurityBlock } from "../drivers/osdp/frame.ts";
import { nak } from "../drivers/osdp/nak.ts";
import type { Reply } from "../drivers/osdp/replies.ts";
import { refusal } from "./osdp-answers.ts";
import type { Behaviour } from "./osdp-behaviour.ts";
import { ReaderChannel } from "./osdp-channel.ts";
import type { OsdpKeyring } from "./osdp-keyring.ts";

/** Types of security blocks (reference 3.2 and 3.3). */
const types = {
  challenge: 0x11,
  cryptogram: 0x12,
  answer: 0x13,
  status: 0x14,
  sealedCommand: 0x17,
  plainReply: 0x16,
  sealedReply: 0x18,
} as const;
const none = new Uint8Array();

/** What a reader says of a step of the handshake. */
export interface Step {
  readonly reply: Reply;
  readonly block?: SecurityBlock;
}

export interface SecurityParts {
  readonly keyring: OsdpKeyring;
  /** 8 bytes by which the panel may know the reader again. */
  readonly cuid: Uint8Array;
  /** 8 bytes, others each time. */
  readonly random: () => Uint8Array;
}

/**
 * The sessions of one reader, of which there is one at most: a handshake that is under way, then what came of it. Whatever
 * begins anew ends what was before.
 */
export class OsdpSecurity {
  readonly #parts: SecurityParts;
  #handshake: ReaderChannel | undefined;
  #session: ReaderChannel | undefined;

  constructor(parts: SecurityParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#session !== undefined;
  }

  end(): void {
    this.#handshake = undefined;
    this.#session = undefined;
  }

  /** A step of the handshake: undefined where the command and its block are none, or its turn has not come. */
  step(command: Command | undefined, block: SecurityBlock, behaviour: Behaviour): Step | undefined {
    const handshake = this.#handshake;
    this.end();
    if (block.type === types.challenge && command?.command === "CHLNG") {
      return this.#challenge(block.data[0] ?? 0, command.random, behaviour);
    }
    if (block.type !== types.answer || command?.command !== "SCRYPT" || !handshake) return undefined;
    return this.#confirm(handshake, command.cryptogram, behaviour);
  }

  /** The data of a command of the session, decrypted: undefined where it is not the panel's, or not the next one. */
  open(command: Frame, bytes: Uint8Array): Uint8Array | undefined {
    if (!this.#session?.verify(macInput(bytes, command.check), command.mac ?? none)) return undefined;
    return command.security?.type === types.sealedCommand ? this.#session.decrypt(command.data) : command.data;
  }

  /**
   * The bytes of a reply to the last command that was opened, with its MAC.
   *
   * @param spoils turns the MAC into a wrong one, with a right check.
   */
  seal(reply: Omit<Frame, "mac" | "security">, behaviour: Behaviour, spoils: boolean): Uint8Array {
    const session = this.#session;
    if (!session) throw new Error("there is no session to say something in");
    const isSealed = reply.data.length > 0 || behaviour.encrypts_nothing;
    const security = blockOf(isSealed ? types.sealedReply : types.plainReply);
    const before = beforeMac({ ...reply, security, data: isSealed ? session.encrypt(reply.data) : none });
    const mac = session.sign(before);
    return closeFrame(before, spoils ? oneBitOff(mac) : mac, reply.check);
  }

  #challenge(keyType: number, panelRandom: Uint8Array, behaviour: Behaviour): Step {
    const { keyring, cuid, random } = this.#parts;
    const key = keyring.get(keyType === 1 ? "own" : "public");
    if (!key) return { reply: refusal(nak.securityBlock) };
    const readerRandom = random();
    this.#handshake = new ReaderChannel({ key, panelRandom, readerRandom });
    const right = this.#handshake.clientCryptogram;
    const cryptogram = behaviour.wrong_cryptogram ? oneBitOff(right) : right;
    return {
      reply: { reply: "CCRYPT", cuid, random: readerRandom, cryptogram },
      block: blockOf(types.cryptogram, behaviour.wrong_key_type ? 1 - keyType : keyType),
    };
  }

  #confirm(handshake: ReaderChannel, serverCryptogram: Uint8Array, behaviour: Behaviour): Step {
    const mac = handshake.begin(serverCryptogram);
    if (!mac) return { reply: { reply: "RMAC_I", mac: none }, block: blockOf(types.status, 0xff) };
    this.#session = handshake;
    return { reply: { reply: "RMAC_I", mac }, block: blockOf(types.status, behaviour.status_zero ? 0 : 1) };
  }
}

const blockOf = (type: number, ...data: readonly number[]): SecurityBlock => ({ type, data: Uint8Array.from(data) });

const oneBitOff = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === 0 ? byte ^ 0x01 : byte));
