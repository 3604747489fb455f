import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { z } from "zod";
import { packageRoot } from "../../agent/package.ts";
import { Child } from "./child.ts";
import { ownProgram } from "./own-program.ts";
import { until } from "./until.ts";

const program = join(packageRoot(), "dist/agent/main.js");

const delays = z.object({ p99: z.number() });

/** Where each agent is to write, at its end, what it spent its time on (`node --cpu-prof`); nowhere where it is empty. */
const profiles = process.env["LATCHD_BENCH_PROFILES"] ?? "";
const profiled = profiles === "" ? [] : ["--cpu-prof", "--cpu-prof-dir", profiles];

/** The built program in a folder of its own, started as a service would start it. */
export class Agent implements AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  #child: Child | undefined;
  #isRunning = false;

  readonly #preloads: readonly string[];

  /**
   * @param config its data directory is ours.
   * @param preloads of our programs, beside the one that watches its event loop: run in its process before it.
   */
  constructor(folder: string, config: object, preloads: readonly string[] = []) {
    if (!existsSync(program)) throw new Error("there is no built program: npm run build makes it");
    this.folder = folder;
    this.#preloads = ["watch-loop", ...preloads].flatMap((name) => ["--import", ownProgram(name)]);
    this.dataDir = join(folder, "data");
    mkdirSync(folder, { recursive: true });
    const quiet = { data_dir: "./data", http: "off", log: { level: "warn" }, clock: { check: "off" } };
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...quiet, ...config }));
  }

  /** Resolves when it says that it runs. */
  async start(): Promise<this> {
    this.launch();
    await until("the agent runs", () => {
      if (this.process.hasEnded) throw new Error(`the agent has ended: ${this.process.lastWords}`);
      return this.#isRunning;
    });
    return this;
  }

  /** Starts it, and does not wait for anything. */
  launch(): void {
    this.#isRunning = false;
    this.#child = new Child([...profiled, ...this.#preloads, program, "run", join(this.folder, "config.json")], {
      cwd: this.folder,
      told: (line) => {
        if (line.includes("Ctrl-C stops it.")) this.#runs();
        else if (/"level":"error"/.test(line)) process.stderr.write(`  the agent says: ${line}\n`);
      },
    });
  }

  /** How long it took to load its own parts keeps nobody waiting who knows it to be there. */
  #runs(): void {
    this.#isRunning = true;
    this.#child?.tell({ ask: "forget" });
  }

  get process(): Child {
    if (!this.#child) throw new Error("the agent does not run");
    return this.#child;
  }

  /** The delay of its event loop since this was last asked, in milliseconds. */
  async loopDelay(): Promise<number> {
    return delays.parse(await this.process.ask({ ask: "delays" })).p99;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    await this.#child?.end(signal);
    this.#child = undefined;
  }

  /** Asks at the local door. */
  async ask(command: string, parameters: object = {}): Promise<string> {
    const socketPath = join(this.dataDir, "latchd.sock");
    return new Promise((done, fail) => {
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
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end(profiles === "" ? "SIGKILL" : "SIGTERM");
  }
}

/** Resolves when every device has been heard of. */
export async function allOnline(agent: Agent, devices: number): Promise<void> {
  await until(
    "all locks are online",
    async () => [...(await agent.ask("agent/status")).matchAll(/"online":true/g)].length >= devices,
    120_000,
    50,
  );
}
