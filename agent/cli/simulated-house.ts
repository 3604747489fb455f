import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type Answer, type House, readAnswer, type Told } from "../../simulator/house.ts";
import { later, type Milliseconds } from "../domain/instant.ts";
import { post } from "./door.ts";
import type { Staged } from "./scenario-file.ts";
import { CommandError, type Launched, type Shell } from "./shell.ts";

const line = z.looseObject({ level: z.string(), msg: z.string() });
const strike = z.looseObject({
  msg: z.literal("a simulated fault strikes"),
  lock: z.string(),
  fault: z.string(),
  request: z.string(),
});

const glance: Milliseconds = 50;
/** As long as a start may take on a machine that has other work. */
const patience: Milliseconds = 30_000;
const grace: Milliseconds = 5_000;

/** A house of its own, on a data directory that is gone with it: latchd in a process of its own, with simulated locks in it. */
export class SimulatedHouse implements House {
  readonly #shell: Shell;
  readonly #tell: (told: Told) => void;
  readonly #folder = mkdtempSync(join(tmpdir(), "latchd-simulate-"));
  readonly #dataDir = join(this.#folder, "data");
  readonly #configFile = join(this.#folder, "config.json");
  readonly #signal: AbortSignal;
  #running: Launched | undefined;
  #fail: (reason: Error) => void = () => undefined;
  /** Rejects when latchd ends though nobody has told it to. */
  readonly failed = new Promise<never>((_, reject) => {
    this.#fail = reject;
  });

  constructor(staged: Staged, shell: Shell, tell: (told: Told) => void, signal: AbortSignal) {
    this.#shell = shell;
    this.#tell = tell;
    this.#signal = signal;
    this.failed.catch(() => undefined);
    writeFileSync(this.#configFile, JSON.stringify({ ...configOf(staged), data_dir: this.#dataDir }));
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const launched = this.#shell.launch(["run", this.#configFile], (text) => this.#heard(text));
    this.#running = launched;
    void this.#outlive(launched);
    const { clock } = this.#shell;
    const until = later(clock.now(), patience);
    while (!(await this.ask("agent/status", {}))) {
      if (clock.now() >= until) throw new CommandError(1, "latchd does not start");
      await Promise.race([clock.sleep(glance, this.#signal), this.failed]);
    }
  }

  async #outlive(launched: Launched): Promise<void> {
    await launched.ended;
    if (this.#running === launched) this.#fail(new CommandError(1, "latchd ended, and nobody has told it to"));
  }

  async ask(command: string, parameters: object): Promise<Answer | undefined> {
    try {
      return readAnswer(await post(this.#dataDir, command, parameters));
    } catch (error) {
      if (error instanceof CommandError) return undefined;
      throw error;
    }
  }

  async restart(how: "stop" | "kill", away: Milliseconds): Promise<void> {
    await this.#end(how === "kill" ? "SIGKILL" : "SIGTERM");
    await this.#shell.clock.sleep(away, this.#signal);
    await this.start();
  }

  /** Nothing is left of it. */
  async close(): Promise<void> {
    await this.#end("SIGTERM");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    running.kill(signal);
    const over = new AbortController();
    const late = this.#shell.clock.sleep(grace, over.signal).then(
      () => running.kill("SIGKILL"),
      () => undefined,
    );
    await running.ended;
    over.abort();
    await late;
  }

  /** What it logs, as far as it belongs to the story. */
  #heard(text: string): void {
    const log = parse(text);
    const struck = strike.safeParse(log).data;
    if (struck) {
      const { lock, fault, request } = struck;
      return this.#tell({ kind: "strike", words: `${lock}: ${fault} (${request})`, fields: { lock, fault, request } });
    }
    const said = line.safeParse(log).data;
    if (!said || (said.level !== "warn" && said.level !== "error")) return;
    const { level: _level, time: _time, msg, ...fields } = said;
    const words = Object.entries(fields).map(
      ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
    this.#tell({ kind: "agent", words: [msg, ...words].join(" "), fields: { says: msg, ...fields } });
  }
}

const configOf = ({ scenario: { locks, seed }, builds }: Staged): object => ({
  broker: { url: "embedded", port: 0 },
  http: "off",
  clock: { trust: "system" },
  links: Object.fromEntries([...builds].map(([lock, build]) => [lock, { driver: "simulated", ...build, seed }])),
  devices: Object.entries(locks).map(([lock, { time_zone }]) => ({
    device_id: lock,
    name: lock,
    time_zone,
    at: { link: lock, address: lock },
  })),
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
