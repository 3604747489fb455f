import { cpSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Link } from "../../drivers/driver.ts";
import { type Library, loadLibrary } from "../../drivers/zwave/library.ts";
import { ZwaveLink } from "../../drivers/zwave/link.ts";
import { options } from "../../drivers/zwave/options.ts";
import type { BoltBench } from "../drivers/conformance-bolt.ts";
import { eventually, hurriedClock, RecordingHost } from "./host.ts";
import { ZwaveFarEnd } from "./zwave-far-end.ts";

const moods = ["refuses", "deaf", "loses_replies", "says_yes_stores_nothing", "says_no_and_stores"] as const;

/**
 * The persona, and what zwave-js knows of it after it has interviewed its locks once: so that a test need not wait for
 * that. Two steps of zwave-js's start are left out, a second each: to look for a controller that is stuck in its boot
 * loader, and to read the files on all devices that are sold.
 */
export class ZwaveHouse implements AsyncDisposable {
  readonly far: ZwaveFarEnd;
  readonly #library: Library;
  /** What zwave-js keeps of the network, without codes. */
  readonly known = mkdtempSync(join(tmpdir(), "latchd-zwave-known-"));

  private constructor(far: ZwaveFarEnd, library: Library) {
    this.far = far;
    this.#library = library;
  }

  /** @param locks those that are there; the fewer, the sooner they are interviewed. */
  static async open(locks: readonly string[]): Promise<ZwaveHouse> {
    const far = await new ZwaveFarEnd(["--locks", locks.join(",")]).start();
    const house = new ZwaveHouse(far, await loadLibrary());
    using host = new RecordingHost(hurriedClock(1));
    await using link = await house.#connect(host, {}, true);
    for (const lock of locks) link.lock(lock);
    await eventually(
      "the interview of all locks",
      () => (host.events.filter(({ event }) => event === "online").length === locks.length ? true : undefined),
      90_000,
    );
    await link[Symbol.asyncDispose]();
    cpSync(join(host.state.directory, "zwave-js"), house.known, { recursive: true });
    return house;
  }

  /**
   * A link to it, which knows its locks already.
   *
   * @param names the folder in which serial devices are named by what they are; none if left out.
   */
  connect(host: RecordingHost, given: object = {}, names?: string): Promise<Link> {
    return this.#connect(host, given, false, names);
  }

  async #connect(host: RecordingHost, given: object, loadConfiguration: boolean, names?: string): Promise<Link> {
    cpSync(this.known, join(host.state.directory, "zwave-js"), { recursive: true, force: false });
    const link = new ZwaveLink(options.parse({ port: this.far.device, timeout_ms: 500, ...given }), host, {
      library: this.#library,
      names: names ?? join(this.known, "none"),
      leaveOut: { skipFirmwareIdentification: true, loadConfiguration },
    });
    await link.connect();
    return link;
  }

  /** For the conformance suite: one of its locks, as new. */
  async bench(address: string): Promise<BoltBench> {
    const { far } = this;
    await far.act(address, { act: "forget" });
    for (const fault of moods) await far.act(address, { act: "mend", fault });
    await far.act(address, { act: "travel", ms: 50 });
    return {
      address,
      open: (host) => this.connect(host),
      opens: async (digits, _, at) => far.opens(address, digits, at),
      peer: {
        mode: async (mode) => void (await far.act(address, { act: "mode", mode })),
        leave: () => far.unplug(),
        comeBack: () => far.plug(),
      },
      door: {
        place: () => far.bolt(address),
        mood: async (fault) => void (await far.act(address, { act: "fault", fault, to: ["bolt"] })),
        mend: async (fault) => void (await far.act(address, { act: "mend", fault })),
        async commands() {
          // What it has printed before its answer is here when that is.
          await far.look(address);
          return far.asked.filter(({ lock, asked }) => lock === address && asked === "bolt").length;
        },
      },
      wires: () => this.wires(),
      close: () => far.plug(),
    };
  }

  /** How many serial devices this process has open. */
  wires(): number {
    return readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return /^\/dev\/pts\/\d+$/.test(readlinkSync(`/proc/self/fd/${fd}`));
      } catch {
        return false;
      }
    }).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.far[Symbol.asyncDispose]();
    rmSync(this.known, { recursive: true, force: true });
  }
}
