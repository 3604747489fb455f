import { type Instant, instant, later } from "../../agent/domain/instant.ts";
import { type Command, encodeCommand } from "../../drivers/osdp/commands.ts";
import { Deframer } from "../../drivers/osdp/deframer.ts";
import { encodeFrame, type Frame } from "../../drivers/osdp/frame.ts";
import { decodeReply, type Reply } from "../../drivers/osdp/replies.ts";
import type { Behaviour } from "../../simulator/osdp-behaviour.ts";
import { type OsdpHardware, usualHardware } from "../../simulator/osdp-device.ts";
import { OsdpKeyring } from "../../simulator/osdp-keyring.ts";
import { OsdpReader, type OsdpSight, type Said } from "../../simulator/osdp-reader.ts";

/** What was answered: the frame, and what it says where that is in clear. */
export interface Answered {
  readonly frame: Frame;
  readonly reply: Reply | undefined;
  readonly said: Said;
}

type Framing = Partial<Pick<Frame, "sequence" | "check" | "address">>;

/** Somebody who asks one simulated reader in clear, and counts: no panel, and no line between them. */
export class OsdpAsker {
  readonly reader: OsdpReader;
  readonly sights: OsdpSight[] = [];
  now: Instant = instant(1_790_000_000_000);
  #sequence = -1;

  constructor(
    behaviour: Partial<Behaviour> = {},
    { own, hardware = {} }: { readonly own?: Uint8Array; readonly hardware?: Partial<OsdpHardware> } = {},
  ) {
    this.reader = new OsdpReader(
      {
        address: 1,
        baud: 9_600,
        keyring: new OsdpKeyring(own),
        hardware: { ...usualHardware, ...hardware },
        cuid: new Uint8Array(8),
        random: () => new Uint8Array(8),
        pace: () => 0.5,
        behaviour,
        see: (sight) => this.sights.push(sight),
      },
      this.now,
    );
  }

  /** Asks, `after` ms later: in its turn, where nothing else is said. Undefined: no answer. */
  ask(command: Command, framing: Framing = {}, after = 50): Answered | undefined {
    this.#sequence = framing.sequence ?? (this.#sequence % 3) + 1;
    return this.send(this.frameOf(command, { ...framing, sequence: this.#sequence }), after);
  }

  frameOf(command: Command, { sequence = 0, check = "crc", address = 1 }: Framing = {}): Uint8Array {
    return encodeFrame({ address, isReply: false, sequence, check, ...encodeCommand(command) });
  }

  send(bytes: Uint8Array, after = 50): Answered | undefined {
    this.now = later(this.now, after);
    const [said] = this.reader.onBytes(bytes, this.now);
    const [received] = said ? new Deframer().push(said.bytes) : [];
    if (!said || !received) return undefined;
    return { frame: received.frame, reply: decodeReply(received.frame.code, received.frame.data), said };
  }
}
