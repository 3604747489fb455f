import type { Instant } from "../agent/domain/instant.ts";
import type { Identity } from "../drivers/osdp/replies.ts";
import { Face } from "./osdp-face.ts";
import { Outputs } from "./osdp-outputs.ts";

/** What a reader is, and what hangs on it. */
export interface OsdpHardware {
  readonly identity: Identity;
  readonly inputs: number;
  readonly outputs: number;
  readonly lights: number;
  /** Whether it has a display. */
  readonly hasText: boolean;
  /** Whether it says that it knows the key of all that are being installed. */
  readonly knowsPublicKey: boolean;
  /** Rates that it can be set to. */
  readonly bauds: readonly number[];
}

export const usualHardware: OsdpHardware = {
  identity: { vendor: "1c5fca", model: 2, version: 1, serial: 0x04030201, firmware: [1, 2, 3] },
  inputs: 2,
  outputs: 1,
  lights: 1,
  hasText: false,
  knowsPublicKey: true,
  bauds: [9_600, 19_200, 38_400, 57_600, 115_200, 230_400],
};

/** What a reader tells when it is polled, digits and bits in clear. Bits are such as `26:bd88eb80`; keys 0 to 9, * and #. */
export type Report =
  | StateReport
  | { readonly report: "card"; readonly format: number; readonly bits: string }
  | { readonly report: "keys"; readonly keys: string };
/** How something is. */
export interface StateReport {
  readonly report: "local" | "inputs" | "outputs" | "readers";
}

const isRead = (report: Report): report is Exclude<Report, StateReport> =>
  report.report === "card" || report.report === "keys";
/** A reader has no room for more. */
const mostWaiting = 64;

/** The hardware of a reader: what people do to it, and what it has to tell of it. Pure. */
export class OsdpDevice {
  readonly hardware: OsdpHardware;
  readonly outputs: Outputs;
  readonly face: Face;
  isTampered = false;
  hasPowerFailed = false;
  readonly #inputs: number[];
  #waiting: Report[] = [];

  constructor(hardware: OsdpHardware, now: Instant) {
    this.hardware = hardware;
    this.outputs = new Outputs(hardware.outputs);
    this.face = new Face(hardware.lights, now);
    this.#inputs = Array.from({ length: hardware.inputs }, () => 0);
  }

  get inputs(): readonly number[] {
    return this.#inputs;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  setInput(input: number, state: number): void {
    if (this.#inputs[input] === undefined || this.#inputs[input] === state) return;
    this.#inputs[input] = state;
    this.tell({ report: "inputs" });
  }

  tamper(open: boolean): void {
    if (this.isTampered === open) return;
    this.isTampered = open;
    this.tell({ report: "local" });
  }

  failPower(failed: boolean): void {
    if (this.hasPowerFailed === failed) return;
    this.hasPowerFailed = failed;
    this.tell({ report: "local" });
  }

  /** At the next poll, after what waits already; a state is told once, as it is then. Whether there is room for it. */
  tell(report: Report): boolean {
    if (!isRead(report)) this.told(report.report);
    const hasRoom = this.#waiting.length < mostWaiting;
    if (hasRoom) this.#waiting.push(report);
    return hasRoom;
  }

  /** What is to be told next; it does not wait any more. */
  take(): Report | undefined {
    return this.#waiting.shift();
  }

  /** A state is known now, and need not be told again. */
  told(state: StateReport["report"]): void {
    this.#waiting = this.#waiting.filter(({ report }) => report !== state);
  }

  /** As it is when it gets power: what is open stays open. */
  restart(now: Instant): void {
    this.#waiting = [];
    this.outputs.drop(now);
    this.face.restart(now);
  }

  /** What people have shown and typed, and nobody has come for. */
  forgetReads(): void {
    this.#waiting = this.#waiting.filter((report) => !isRead(report));
  }
}
