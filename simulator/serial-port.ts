import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Duplex, type Readable, type Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A serial device with a simulated far end, plugged in and pulled out as USB sticks are: a pseudo terminal made by
 * `socat`, at a path of one's choice. Whoever opens the path is a host. Like the far end of a real cable, ours is not told
 * when a host goes and another one comes.
 */
export class SimulatedSerialPort {
  readonly path: string;
  readonly #attached: (far: Duplex) => void;
  #socat: ChildProcessByStdio<Writable, Readable, null> | undefined;

  /** @param attached is given the far end of each new device. */
  constructor(path: string, attached: (far: Duplex) => void) {
    this.path = path;
    this.#attached = attached;
  }

  /** Resolves when the path is there. Rejects where `socat` cannot make it. */
  async plugIn(): Promise<void> {
    if (this.#socat) return;
    const socat = spawn("socat", ["STDIO", `PTY,link=${this.path},raw,echo=0`], { stdio: ["pipe", "pipe", "ignore"] });
    this.#socat = socat;
    let problem: string | undefined;
    socat.once("error", (error) => {
      problem = error.message;
    });
    socat.once("close", (code) => {
      problem ??= `it ended with ${code}`;
    });
    // It may be pulled out with bytes on their way.
    socat.stdin.on("error", () => undefined);
    while (!existsSync(this.path)) {
      if (problem !== undefined) throw new Error(`socat makes no serial device at ${this.path}: ${problem}`);
      await sleep(5);
    }
    this.#attached(Duplex.from({ readable: socat.stdout, writable: socat.stdin }));
  }

  /** Resolves when the path is gone. */
  async pullOut(): Promise<void> {
    const socat = this.#socat;
    this.#socat = undefined;
    if (!socat) return;
    const exit = new Promise((resolve) => void socat.once("exit", resolve));
    socat.kill();
    await exit;
  }
}
