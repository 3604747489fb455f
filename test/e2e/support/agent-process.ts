import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { keepPromise } from "../../support/kept-promise.ts";
import { until } from "../mqtt-support.ts";

const program = join(import.meta.dirname, "../../../dist/agent/main.js");

/** A reply, through whatever door. */
const reply = z.looseObject({
  ok: z.boolean(),
  error: z.looseObject({ type: z.string(), message: z.string(), validation_errors: z.unknown().optional() }).optional(),
});
export type AnyReply = z.infer<typeof reply>;
export const readReply = (text: string): AnyReply => reply.parse(JSON.parse(text));

export type WhenOver = (end: () => Promise<void>) => void;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a command line has written. */
interface Said {
  readonly out: string;
  readonly err: string;
}

/** The built program in a folder of its own, started as a service would start it. Ends with the test. */
export class AgentProcess {
  readonly folder = mkdtempSync(join(tmpdir(), "latchd-"));
  readonly configFile = join(this.folder, "config.json");
  readonly dataDir = join(this.folder, "data");
  /** Of all its runs. */
  stdout = "";
  stderr = "";
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;

  /**
   * @param config the configuration file; its data directory is ours. No HTTP, if it does not say so: many run at once.
   * @param preload a module that runs in the agent's process before it.
   * @param whenOver is told how to end it; the end of the test, if nothing else is said.
   */
  constructor(config: object, preload?: string, whenOver: WhenOver = onTestFinished) {
    const file = join(this.folder, "preload.mjs");
    if (preload !== undefined) writeFileSync(file, preload);
    // What libraries print of themselves when they are asked to is looked through like all else that the agent says.
    this.#env = { ...process.env, DEBUG: "*", ...(preload === undefined ? {} : { NODE_OPTIONS: `--import ${file}` }) };
    if (!existsSync(program)) throw new Error("there is no built program: npm run build makes it");
    this.configure(config);
    whenOver(async () => {
      await this.kill("SIGKILL");
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  configure(config: object): void {
    writeFileSync(this.configFile, JSON.stringify({ data_dir: "./data", http: "off", ...config }));
  }

  /** Starts it; resolves when it says that it runs. */
  async start(): Promise<this> {
    const from = this.stdout.length;
    const child = this.launch();
    await until(
      "the agent runs",
      () => {
        if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}: ${this.stderr}`);
        return this.stdout.includes("Ctrl-C stops it.", from);
      },
      120_000,
    );
    return this;
  }

  /** What it has of the machine's memory, in MiB. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.#child?.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  /** Starts it, and does not wait for anything. */
  launch(): ChildProcess {
    this.#child = this.#spawn();
    return this.#child;
  }

  /** Starts it (once more) where it is to fail: how that ended, and what it said on stderr. */
  async startInVain(): Promise<Exit & { readonly said: string }> {
    const from = this.stderr.length;
    const exit = await ended(this.#spawn());
    return { ...exit, said: this.stderr.slice(from) };
  }

  /** Resolves when the process is gone, also where it was gone before. */
  async kill(signal: NodeJS.Signals): Promise<Exit> {
    const child = this.#child;
    if (!child) return { code: null, signal: null };
    this.#child = undefined;
    child.kill(signal);
    return ended(child);
  }

  /** Resolves when it ends by itself. */
  async ended(): Promise<Exit> {
    const child = this.#child;
    if (!child) throw new Error("it was not started, or was killed");
    return ended(child);
  }

  /** It stands still, or goes on; SIGUSR2 is for what was loaded before it. */
  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGUSR2"): void {
    this.#child?.kill(signal);
  }

  /** At once, without waiting: from within a trap. */
  shoot(): void {
    this.#child?.kill("SIGKILL");
  }

  /** Asks at the local door. */
  async ask(command: string, parameters: object = {}): Promise<AnyReply> {
    const socketPath = join(this.dataDir, "latchd.sock");
    const text = await new Promise<string>((done, fail) => {
      const outgoing = request({ socketPath, method: "POST", path: `/${command}` }, (incoming) => {
        let body = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => {
          body += chunk;
        });
        incoming.once("end", () => done(body));
      });
      outgoing.once("error", fail);
      outgoing.end(JSON.stringify(parameters));
    });
    keepPromise(command, text);
    return readReply(text);
  }

  /** All that it had to tell has left, and it knows that the broker has it: killed now, it says nothing of it again. */
  async allTold(): Promise<void> {
    await until("nothing waits to be told", async () =>
      JSON.stringify(await this.ask("agent/status")).includes('"letters_waiting":0'),
    );
  }

  /** Calls the command line as somebody at the gateway would. */
  async cli(...words: string[]): Promise<Exit & Said> {
    return this.beginCli(...words).ended;
  }

  /** The same, for what goes on until Ctrl-C. */
  beginCli(...words: string[]): { readonly ended: Promise<Exit & Said>; readonly stop: () => void } {
    const child = spawn(process.execPath, [program, ...words], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { out: "", err: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      said.out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      said.err += chunk.toString();
    });
    return { ended: ended(child).then((exit) => ({ ...exit, ...said })), stop: () => void child.kill("SIGINT") };
  }

  /** The codes that a simulated lock holds, by slot: its memory, as a thief with the chip would read it. */
  codes(address: string, link = "simulated"): ReadonlyMap<string, { readonly value: string; readonly label: string }> {
    const file = join(this.dataDir, "links", link, `${address}.json`);
    if (!existsSync(file)) return new Map();
    return new Map(Object.entries(chip.parse(JSON.parse(readFileSync(file, "utf8"))).entries));
  }

  /** Writes over the memory of a simulated lock. */
  damageChip(address: string, text: string, link = "simulated"): void {
    writeFileSync(join(this.dataDir, "links", link, `${address}.json`), text);
  }

  /** Every file that the agent keeps but the memory of simulated locks. */
  files(): ReadonlyMap<string, Buffer> {
    if (!existsSync(this.dataDir)) return new Map();
    const names = readdirSync(this.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes(join("data", "links")))
      .map((entry) => join(entry.parentPath, entry.name));
    return new Map(names.map((name) => [name, readFileSync(name)]));
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [program, "run", this.configFile], {
      cwd: this.folder,
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.on("data", (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    return child;
  }
}

const chip = z.object({ entries: z.record(z.string(), z.object({ value: z.string(), label: z.string() })) });

/** `close` comes after its last words. */
async function ended(child: ChildProcess): Promise<Exit> {
  const isOver = (): boolean => (child.exitCode ?? child.signalCode) !== null;
  if (!isOver() || !(child.stdout?.closed ?? true)) await once(child, "close");
  return { code: child.exitCode, signal: child.signalCode };
}
