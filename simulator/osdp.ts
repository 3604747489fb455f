import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { type Instant, instant } from "../agent/domain/instant.ts";
import { seeded } from "./faults.ts";
import { OsdpBus } from "./osdp-bus.ts";
import { usualHardware } from "./osdp-device.ts";
import { HostEnd } from "./osdp-host-end.ts";
import { OsdpKeyring } from "./osdp-keyring.ts";
import { OsdpReader, type OsdpSight } from "./osdp-reader.ts";

export interface OsdpPersonaOptions {
  /** Keys by address, 16 bytes; undefined: that reader waits to be installed. */
  readonly readers: ReadonlyMap<number, Uint8Array | undefined>;
  readonly baud: number;
  readonly seed: number;
  readonly lumps: number;
  readonly echoes: boolean;
  readonly see: (reader: string, sight: OsdpSight) => void;
}

/** Some readers on a line, in real time, for whoever holds the other end of it. Their names are their first addresses. */
export class OsdpPersona {
  readonly bus: OsdpBus;
  readonly readers: ReadonlyMap<string, OsdpReader>;
  readonly #host: HostEnd;
  readonly #lines = new Set<Duplex>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ readers, baud, seed, lumps, echoes, see }: OsdpPersonaOptions) {
    this.bus = new OsdpBus({ random: seeded(seed) });
    this.#host = new HostEnd({
      baud,
      lumps,
      echoes,
      deliver: (bytes) => {
        for (const line of this.#lines) line.write(bytes);
      },
    });
    this.bus.connect(this.#host);
    this.readers = new Map(
      [...readers].map(([address, key]) => {
        const name = String(address);
        const { identity } = usualHardware;
        const serial = 1_000 + address;
        const reader = new OsdpReader(
          {
            address,
            baud,
            keyring: new OsdpKeyring(key),
            hardware: { ...usualHardware, identity: { ...identity, serial } },
            cuid: Uint8Array.of(
              ...Buffer.from(identity.vendor, "hex"),
              ...new Uint8Array(Uint32Array.of(serial).buffer),
              0,
            ),
            random: () => randomBytes(8),
            pace: seeded(seed + address),
            see: (sight) => see(name, sight),
          },
          this.now(),
        );
        this.bus.join(reader);
        return [name, reader];
      }),
    );
  }

  /** To fractions of a millisecond, and never backwards. */
  now(): Instant {
    return instant(performance.timeOrigin + performance.now());
  }

  /** What is done now is done after all that has happened until now; and what follows from it happens at its time. */
  act<Result>(deed: (now: Instant) => Result): Result {
    const now = this.now();
    this.bus.advance(now);
    const result = deed(now);
    this.#wake();
    return result;
  }

  /** Whoever is on this line is at the other end, until it ends. */
  talk(line: Duplex): void {
    this.#lines.add(line);
    line.on("error", () => undefined).once("close", () => this.#lines.delete(line));
    line.on("data", (bytes: Uint8Array) =>
      this.act((now) => this.bus.line.say(this.#host, Uint8Array.from(bytes), now)),
    );
  }

  /** Nothing happens any more. */
  stop(): void {
    clearTimeout(this.#timer);
    for (const line of this.#lines) line.destroy();
  }

  #wake(): void {
    clearTimeout(this.#timer);
    const next = this.bus.next;
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.act(() => undefined), Math.max(next - this.now(), 0));
  }
}
