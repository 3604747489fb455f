import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import { packageRoot } from "../../agent/package.ts";
import type { OsdpAct } from "../../simulator/osdp-act.ts";

const program = join(packageRoot(), "dist/simulator/osdp-main.js");

const said = z.discriminatedUnion("happened", [
  z.object({ happened: z.literal("started"), address: z.object({ port: z.number() }).nullable() }),
  z.looseObject({ happened: z.literal("done"), id: z.string() }),
  z.object({ happened: z.literal("error"), id: z.string().optional(), error: z.string() }),
  z.object({
    happened: z.literal("switched"),
    reader: z.string(),
    output: z.number(),
    on: z.boolean(),
    at: z.number(),
  }),
  z.object({ happened: z.enum(["secured", "keyed", "restarted"]), reader: z.string(), at: z.number() }),
  z.object({
    happened: z.literal("moved"),
    reader: z.string(),
    at: z.number(),
    address: z.number(),
    baud: z.number(),
  }),
  z.object({ happened: z.literal("stopped") }),
]);
type Said = z.infer<typeof said>;
/** An output went on or off; `at` in milliseconds since 1970. */
export type OsdpSwitched = Extract<Said, { happened: "switched" }>;

/** Simulated OSDP readers on a line, in a process of their own, at a serial device and a TCP port. */
export class OsdpFarEnd implements AsyncDisposable {
  readonly device: string;
  /** The socket that takes what is done at the readers. */
  readonly control: string;
  /** All that outputs did, in order. */
  readonly switched: OsdpSwitched[] = [];
  /** All that it printed. */
  readonly lines: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "latchd-osdp-"));
  readonly #flags: readonly string[];
  readonly #waiting = new Map<string, (answer: Said) => void>();
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #port = 0;
  #ids = 0;

  /** @param flags of the program, such as `--reader 1`. */
  constructor(flags: readonly string[]) {
    this.device = join(this.#folder, "tty");
    this.control = join(this.#folder, "control");
    this.#flags = flags;
  }

  /** The same line as a serial bridge has it. */
  get url(): string {
    return `tcp://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    if (!existsSync(program)) throw new Error("there is no built program: npm run build makes it");
    const doors = ["--serial", this.device, "--listen", String(this.#port), "--control", this.control];
    const given = [...doors, ...this.#flags];
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

  /** Something is done to a reader, or happens at it. Resolves when it is done. */
  async act(reader: string, act: OsdpAct): Promise<Said> {
    return this.#ask({ reader, ...act });
  }

  /** Something happens to the line: `{ act: "cut" }`, `{ act: "weather", is: { lost: 0.1 } }`, `{ act: "unplug" }` … */
  async line(act: { readonly act: string; readonly [more: string]: unknown }): Promise<Said> {
    return this.#ask(act);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
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
    if (happening.happened === "switched") this.switched.push(happening);
    if ((happening.happened === "done" || happening.happened === "error") && happening.id !== undefined) {
      this.#waiting.get(happening.id)?.(happening);
      this.#waiting.delete(happening.id);
    }
    return happening;
  }
}
