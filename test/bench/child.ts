import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const running = new Set<ChildProcess>();
// A run that is cut short leaves nothing behind; its folder is removed after this.
process.prependOnceListener("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A program of ours that runs beside, in a process of its own; ended by its id. */
export class Child implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** What it printed last, for when it fails. */
  #said = "";

  /** @param told is handed each line that it prints. */
  constructor(
    words: readonly string[],
    { cwd, env = {}, told }: { cwd?: string; env?: NodeJS.ProcessEnv; told?: (line: string) => void } = {},
  ) {
    const child = spawn(process.execPath, words, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#child = child;
    let rest = "";
    const heard = (chunk: Buffer): void => {
      const text = chunk.toString();
      this.#said = (this.#said + text).slice(-2_000);
      if (!told) return;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) told(line);
    };
    child.stdout?.on("data", heard);
    child.stderr?.on("data", heard);
    running.add(child);
    child.once("exit", () => running.delete(child));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return (this.#child.exitCode ?? this.#child.signalCode) !== null;
  }

  /** Why it does not run, where it should. */
  get lastWords(): string {
    return this.#said.trim();
  }

  /** The next thing that it says of itself. */
  async message(): Promise<unknown> {
    const heard = new AbortController();
    const { signal } = heard;
    const told = once(this.#child, "message", { signal });
    const ended = once(this.#child, "exit", { signal }).then(([code]) => {
      throw new Error(`a program ended with ${String(code)}: ${this.lastWords}`);
    });
    // Of the two one is waited for in vain.
    for (const either of [told, ended]) either.catch(() => undefined);
    try {
      const [message]: unknown[] = await Promise.race([told, ended]);
      return message;
    } finally {
      heard.abort();
    }
  }

  /** Tells it something. */
  tell(what: object): void {
    this.#child.send(what);
  }

  /** Tells it something, and resolves to what it says to that. */
  async ask(what: object): Promise<unknown> {
    const answer = this.message();
    this.tell(what);
    return answer;
  }

  /** Milliseconds that it has had of the processors, all of its threads (proc(5), `schedstat`: nanoseconds). */
  get cpu(): number {
    const tasks = `/proc/${this.pid}/task`;
    const nanoseconds = readdirSync(tasks).map((task) =>
      Number(readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ")[0]),
    );
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
  }

  /** What it has of the machine's memory, in MB. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.hasEnded) return;
    const gone = once(this.#child, "exit");
    this.#child.kill(signal);
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}
