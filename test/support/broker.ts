import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Aedes } from "aedes";
import { skipReason } from "./peers.ts";

/** A broker on a port of its own on the loopback interface. */
export interface Broker extends AsyncDisposable {
  readonly url: string;
  /** Away and back on the same port, without its retained messages (aedes) or with none saved (mosquitto). */
  stop(): Promise<void>;
  start(): Promise<void>;
}
export type BrokerName = "aedes" | "mosquitto";

const longestStart = 60_000;

const hasMosquitto = (): boolean => spawnSync("mosquitto", ["-h"]).error === undefined;

/** Why tests over a broker are left out, if they are. */
export const brokerSkipReason = (name: BrokerName): string | undefined =>
  name === "aedes" ? undefined : skipReason("mosquitto", hasMosquitto(), "apt-get install mosquitto");

/** The most real broker that is installed. */
export const bestBroker = (): BrokerName => (hasMosquitto() ? "mosquitto" : "aedes");

/** @param settings of mosquitto, more lines of its configuration file. */
export async function startBroker(name: BrokerName, settings: readonly string[] = []): Promise<Broker> {
  const port = await freePort();
  const broker = name === "aedes" ? new InProcess(port) : new Mosquitto(port, settings);
  await broker.start();
  return broker;
}

/** Below those that systems give to who asks for any port, as each connection does. */
const ports = { from: 12_000, to: 32_000 };
/** Each of the processes that run tests together has a range of its own. */
const [share, shares] = [Number(process.env["VITEST_POOL_ID"] ?? 0) % 8, 8];
const size = Math.floor((ports.to - ports.from) / shares);
/** One after the other, as two who asked for one and do not listen yet must not get the same. */
let last = Math.floor(Math.random() * size);

/**
 * A port for who listens there later, and perhaps again after a pause: nobody else gets it by chance meanwhile. One of the
 * ephemeral ports might be the near end of a connection by then, or of the very connection that is to find nobody there.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    last = (last + 1) % size;
    const port = ports.from + share * size + last;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** aedes in this process: MQTT 3.1.1 only. */
class InProcess implements Broker {
  readonly url: string;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #aedes: Aedes | undefined;
  #server: Server | undefined;

  constructor(port: number) {
    this.#port = port;
    this.url = `mqtt://127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const aedes = await Aedes.createBroker();
    this.#aedes = aedes;
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      aedes.handle(socket);
    }).listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async stop(): Promise<void> {
    const [aedes, server] = [this.#aedes, this.#server];
    if (!aedes || !server) return;
    this.#aedes = undefined;
    for (const socket of this.#sockets) socket.destroy();
    server.close();
    await once(server, "close");
    await new Promise<void>((resolve) => {
      aedes.close(resolve);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The real thing, as a process of its own. */
class Mosquitto implements Broker {
  readonly url: string;
  readonly #port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "latchd-mosquitto-"));
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;

  constructor(port: number, settings: readonly string[]) {
    this.#port = port;
    this.url = `mqtt://127.0.0.1:${port}`;
    this.#settings = settings;
  }

  async start(): Promise<void> {
    const file = join(this.#folder, "mosquitto.conf");
    const listener = `listener ${this.#port} 127.0.0.1`;
    const usual = [listener, "allow_anonymous true", "persistence false", "set_tcp_nodelay true"];
    writeFileSync(file, `${[...usual, ...this.#settings].join("\n")}\n`);
    const child = spawn("mosquitto", ["-c", file], { stdio: "ignore" });
    this.#process = child;
    // A test run that is cut short leaves no broker behind.
    const kill = (): void => void child.kill();
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    const deadline = Date.now() + longestStart;
    while (Date.now() < deadline) {
      if (await accepts(this.#port)) return;
      await sleep(20);
    }
    throw new Error(`mosquitto does not listen on port ${this.#port}`);
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = undefined;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function accepts(port: number): Promise<boolean> {
  const { connect } = await import("node:net");
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
