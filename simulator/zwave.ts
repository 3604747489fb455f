import type { Duplex } from "node:stream";
import { TransmitStatus } from "@zwave-js/core";
import { ZWaveSerialFrameType } from "@zwave-js/serial";
import { createAndOpenMockedZWaveSerialPort } from "@zwave-js/serial/mock";
import { SendDataBridgeRequestTransmitReport, SendDataRequestTransmitReport } from "@zwave-js/serial/serialapi";
import { MockController } from "@zwave-js/testing";
import { createDefaultMockControllerBehaviors } from "zwave-js/Testing";
import { Faults, faultsOf, type Odds } from "./faults.ts";
import type { MemoryFile } from "./memory-file.ts";
import { SerialFrames } from "./serial-frames.ts";
import type { Sight } from "./witness.ts";
import { ZwaveLock, type ZwaveLockParts } from "./zwave-lock.ts";
import type { ZwaveModel } from "./zwave-models.ts";

export interface ZwavePersonaOptions {
  /** Models of the locks, by node id: 1 is the controller's own. */
  readonly locks: ReadonlyMap<number, ZwaveModel>;
  readonly odds: Odds;
  readonly seed: number;
  /** Where what the locks hold outlives the process. */
  readonly memory: MemoryFile | undefined;
  readonly asked: (lock: number, ...what: Parameters<ZwaveLockParts["asked"]>) => void;
  readonly see: (sight: Sight) => void;
}

const homeId = 0x7e570001;
/** NAK: with it a host that has just been started begins. On a serial device nothing else tells one host from the next. */
const startOver = 0x15;

/**
 * A Z-Wave controller with some locks, as a host meets them on a serial line: zwave-js's own code at the far end too, with
 * only the radio and the locks' hardware replaced. One host at a time; each new one finds a controller that was just
 * switched on, and locks that remember.
 */
export class ZwavePersona {
  readonly locks: ReadonlyMap<string, ZwaveLock>;
  #conversation: Conversation | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ locks, odds, seed, memory, asked, see }: ZwavePersonaOptions) {
    this.locks = new Map(
      [...locks].map(([id, model]) => {
        const name = String(id);
        const lock = new ZwaveLock({
          id,
          model,
          remembered: memory?.get(name),
          faults: new Faults(seed + id, faultsOf(odds)),
          asked: (...what) => asked(id, ...what),
          see,
          remember: (what) => memory?.set(name, what),
        });
        return [name, lock];
      }),
    );
  }

  /** Talks to whoever is on this line until it ends. Who has spoken up last is the host, on whatever line. */
  async talk(line: Duplex): Promise<void> {
    const ended = new Promise((resolve) => void line.once("close", resolve));
    line.on("error", () => undefined).on("end", () => line.destroy());
    const frames = new SerialFrames();
    line.on("data", (bytes: Uint8Array) => {
      for (const frame of frames.push(bytes)) {
        this.#last = this.#last.then(() => this.#hear(frame, line)).catch(() => line.destroy());
      }
    });
    await ended;
    if (this.#conversation?.line === line) this.#conversation.end();
  }

  async #hear(frame: Uint8Array<ArrayBuffer>, line: Duplex): Promise<void> {
    if (frame[0] === startOver || this.#conversation?.line !== line) {
      this.#conversation?.end();
      this.#conversation = await this.#converse(line);
    }
    if (frame[0] !== startOver) await this.#conversation.hear(frame);
  }

  async #converse(line: Duplex): Promise<Conversation> {
    const { port: mockPort, serial } = await createAndOpenMockedZWaveSerialPort();
    const controller = await MockController.create({ homeId, ownNodeId: 1, mockPort, serial });
    controller.defineBehavior(...createDefaultMockControllerBehaviors());
    let isOpen = true;
    const send = controller.sendMessageToHost.bind(controller);
    const sent: typeof send = async (message, node) => {
      await send(message, node);
      if (!isOpen) return;
      if (node) this.locks.get(String(node.id))?.delivered("report");
      else if (isAcknowledged(message)) for (const lock of this.locks.values()) lock.delivered("acknowledgement");
    };
    Object.assign(controller, { sendMessageToHost: sent });
    for (const lock of this.locks.values()) await lock.join(controller);
    const say = async (): Promise<void> => {
      for await (const { type, data } of serial.readable) {
        if (!isOpen) return;
        if (type === ZWaveSerialFrameType.SerialAPI) line.write(typeof data === "number" ? Uint8Array.of(data) : data);
      }
    };
    say().catch(() => undefined);
    return {
      line,
      hear: (frame) => serial.writeAsync(frame),
      end() {
        isOpen = false;
        controller.destroy();
        serial.close().catch(() => undefined);
      },
    };
  }
}

interface Conversation {
  readonly line: Duplex;
  hear(frame: Uint8Array<ArrayBuffer>): Promise<void>;
  end(): void;
}

const isAcknowledged = (message: object): boolean =>
  (message instanceof SendDataRequestTransmitReport || message instanceof SendDataBridgeRequestTransmitReport) &&
  message.transmitStatus === TransmitStatus.OK;
