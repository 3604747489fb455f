import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import { packageRoot } from "../../agent/package.ts";
import type { ZwaveAct } from "../../simulator/zwave-act.ts";
import { skipReason } from "./peers.ts";

const program = join(packageRoot(), "dist/simulator/zwave-main.js");

/** Why tests over a serial device are left out: undefined where they are not. */
export const socatSkipReason = (): string | undefined =>
  skipReason("socat", spawnSync("socat", ["-V"]).status === 0, "apt install socat");

/** Node ids of the persona's locks. */
export const zwaveLocks = { userCode1: "2", userCode2: "3", userCredential: "4", timed1: "5", timed2: "6" } as const;

const said = z.discriminatedUnion("happened", [
  z.object({ happened: z.literal("started"), address: z.object({ port: z.number() }).nullable() }),
  z.looseObject({ happened: z.literal("done"), id: z.string() }),
  z.object({ happened: z.literal("error"), id: z.string().optional(), error: z.string() }),
  z.object({
    happened: z.literal("asked"),
    at: z.number(),
    lock: z.string(),
    asked: z.enum(["write", "clear", "read", "bolt"]),
    slot: z.string(),
    becomes: z.enum(["answered", "lost", "late", "unheard"]),
  }),
  z.object({ happened: z.enum(["stored", "cleared", "rewritten_blindly"]), lock: z.string(), slot: z.string() }),
  z.object({ happened: z.literal("complaint"), about: z.string() }),
  z.object({ happened: z.literal("stopped") }),
]);
type Said = z.infer<typeof said>;
export type AskedOfLock = Extract<Said, { happened: "asked" }>;
const opened = z.object({ user: z.number().nullable() });
const bolt = z.object({ bolt: z.enum(["locked", "unlocked"]) });
const held = z.object({ codes: z.record(z.string(), z.string()), users: z.array(z.number()) });

/** The persona of a Z-Wave controller with three locks, in a process of its own, at a serial device and a TCP port. */
export class ZwaveFarEnd implements AsyncDisposable {
  /** The serial device. Others of the same persona are the same device: it is where its program makes it. */
  readonly device: string;
  /** All that was asked of the locks' slots, in order. */
  readonly asked: AskedOfLock[] = [];
  /** All that it printed. */
  readonly lines: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "latchd-zwave-"));
  readonly #flags: readonly string[];
  readonly #waiting = new Map<string, (answer: Said) => void>();
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #port = 0;
  #ids = 0;

  /** @param flags more of the program's options, such as `--lose 0.1`. */
  constructor(flags: readonly string[] = []) {
    this.device = join(this.#folder, "tty");
    this.#flags = flags;
  }

  /** The same wire as a serial bridge has it. */
  get url(): string {
    return `tcp://127.0.0.1:${this.#port}`;
  }

  /** Starts it, or starts it again: its locks remember. */
  async start(): Promise<this> {
    if (!existsSync(program)) throw new Error("there is no built program: npm run build makes it");
    const memory = join(this.#folder, "memory.json");
    const given = [
      "--serial",
      this.device,
      "--listen",
      String(this.#port),
      "--memory",
      memory,
      "--record",
      ...this.#flags,
    ];
    const child = spawn(process.execPath, [program, ...given], { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    child.stdin.on("error", () => undefined);
    await new Promise<void>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the far end ended with ${code}`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        const happening = this.#heard(line);
        if (happening.happened !== "started") return;
        this.#port = happening.address?.port ?? 0;
        resolve();
      });
    });
    return this;
  }

  /** Something is done to a lock, or happens at it. Resolves when it is done. */
  async act(lock: string, act: ZwaveAct): Promise<Said> {
    return this.#ask({ lock, ...act });
  }

  /** What a lock holds: the truth, past every driver. */
  async look(lock: string): Promise<z.infer<typeof held>> {
    return held.parse(await this.act(lock, { act: "look" }));
  }

  /** Where a lock's bolt is: the truth, past every driver. */
  async bolt(lock: string): Promise<"locked" | "unlocked"> {
    return bolt.parse(await this.act(lock, { act: "look" })).bolt;
  }

  /** Whether a lock's door opens for a PIN, now or at another moment: the truth, past every driver. */
  async opens(lock: string, digits: string, at?: number): Promise<boolean> {
    const { user } = opened.parse(await this.act(lock, { act: "opens", digits, at }));
    return user !== null;
  }

  /** The serial device is pulled out, and is gone when this resolves. */
  async unplug(): Promise<void> {
    await this.#ask({ act: "unplug" });
  }

  async plug(): Promise<void> {
    await this.#ask({ act: "plug" });
  }

  /** Resolves when it is gone. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGTERM");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask(request: object): Promise<Said> {
    const id = String(++this.#ids);
    const answered = new Promise<Said>((resolve) => void this.#waiting.set(id, resolve));
    this.#child?.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    const answer = await answered;
    if (answer.happened === "error") throw new Error(answer.error);
    return answer;
  }

  #heard(line: string): Said {
    this.lines.push(line);
    const happening = said.parse(JSON.parse(line));
    if (happening.happened === "asked") this.asked.push(happening);
    if ((happening.happened === "done" || happening.happened === "error") && happening.id !== undefined) {
      this.#waiting.get(happening.id)?.(happening);
      this.#waiting.delete(happening.id);
    }
    return happening;
  }
}
