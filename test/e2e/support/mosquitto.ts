import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { freePort } from "../../support/broker.ts";
import { until } from "../mqtt-support.ts";

/** mosquitto as the README asks for it, unless told otherwise: it keeps sessions on disk, and drops nothing. Ends with the test. */
export class Mosquitto {
  readonly url: string;
  readonly port: number;
  readonly #file: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, options: Readonly<Record<string, string>>) {
    const folder = mkdtempSync(join(tmpdir(), "latchd-mosquitto-"));
    this.port = port;
    this.url = `mqtt://127.0.0.1:${port}`;
    this.#file = join(folder, "mosquitto.conf");
    const settings = {
      listener: `${port} 127.0.0.1`,
      allow_anonymous: "true",
      persistence: "true",
      persistence_location: `${folder}/`,
      max_queued_messages: "0",
      set_tcp_nodelay: "true",
      // Started by root it changes to a user of its own, who may not write there.
      ...(process.getuid?.() === 0 ? { user: "root" } : {}),
      ...options,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
    writeFileSync(this.#file, `${lines.join("\n")}\n`);
    onTestFinished(async () => {
      await this.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** @param options of its configuration file, beside or instead of ours. */
  static async start(options: Readonly<Record<string, string>> = {}): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort(), options);
    await broker.start();
    return broker;
  }

  async start(): Promise<void> {
    this.#process = spawn("mosquitto", ["-c", this.#file], { stdio: "ignore" });
    await until("mosquitto listens", () => listens(this.port));
  }

  /** From now on it does not answer, and hangs up on nobody. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  /** `SIGTERM`: it saves its sessions. `SIGKILL`: they are as of its last save, if there was one. */
  async kill(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
