import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { latchd } from "../../agent/cli/program.ts";
import type { ExitCode, Running, Shell } from "../../agent/cli/shell.ts";
import { instant } from "../../agent/domain/instant.ts";
import { type LocalDoor, openLocalDoor } from "../../agent/http/local-door.ts";
import { createLog } from "../../agent/log.ts";
import { drivers } from "../../drivers/index.ts";

export const person = "f3a328b4-dd04-4370-9000-d52b7a01b0bf";
export const frontDoor = "054765c8-a2fc-4599-b486-14c19f462c45";

/** What the agent answers to a command: a body, or the n-th of several, the last one for good. */
export type Replies = Readonly<Record<string, object | readonly object[]>>;

export const devices = {
  ok: true,
  devices: [
    { device_id: frontDoor, display_name: "Front door" },
    { device_id: "d-2", display_name: "Side door" },
    { device_id: "d-3", display_name: "Side door" },
  ],
};

export const receipt = (state: string, credential: object = {}): object => ({
  ok: true,
  receipts: [
    {
      user_identity_id: person,
      device_id: frontDoor,
      state,
      grants: ["direct"],
      credentials: [
        { kind: "pin", state, evidence: null, since: "2026-01-01T00:00:00.000Z", reason: null, ...credential },
      ],
    },
  ],
  digest: "x",
});

interface Outcome {
  readonly exit: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** A data directory with a local door of canned replies behind it, and a shell to call latchd from. */
export class Desk implements AsyncDisposable {
  readonly dataDir = mkdtempSync(join(tmpdir(), "latchd-cli-"));
  /** Every command that came through the door. */
  readonly asked: [name: string, parameters: unknown][] = [];
  readonly signals = new Set<() => void>();
  start: () => Promise<Running> = async () => Promise.reject(new Error("no agent in this test"));
  launch: Shell["launch"] = () => {
    throw new Error("no process in this test");
  };
  sleep: Shell["clock"]["sleep"] = async (ms) => {
    this.#now += ms;
  };
  out = "";
  err = "";
  #now = 0;
  #door: LocalDoor | undefined;

  static async open(replies?: Replies): Promise<Desk> {
    const desk = new Desk();
    if (replies) await desk.#serve(replies);
    return desk;
  }

  async #serve(replies: Replies): Promise<void> {
    const counts = new Map<string, number>();
    const log = createLog("error", false, () => {});
    this.#door = await openLocalDoor(
      this.dataDir,
      async (name, body) => {
        this.asked.push([name, JSON.parse(Buffer.from(body).toString())]);
        const count = counts.get(name) ?? 0;
        counts.set(name, count + 1);
        const all = [replies[name] ?? { ok: false, error: { type: "unknown_command", message: name } }].flat();
        const reply = all[Math.min(count, all.length - 1)] ?? {};
        return { status: "ok" in reply && reply.ok === false ? 400 : 200, body: JSON.stringify(reply) };
      },
      log,
    );
  }

  /** Calls latchd with these words, from a folder in which the agent's data are not. */
  async call(...words: string[]): Promise<Outcome> {
    this.out = "";
    this.err = "";
    const exit = await latchd(words, {
      out: (text) => {
        this.out += text;
      },
      err: (text) => {
        this.err += text;
      },
      people: true,
      cwd: "/nowhere",
      env: { LATCHD_DATA: this.dataDir },
      clock: { now: () => instant(this.#now), sleep: async (ms, signal) => this.sleep(ms, signal) },
      known: { drivers, commands: ["access/list"] },
      start: async () => this.start(),
      launch: (given, heard) => this.launch(given, heard),
      onSignal: (heard) => {
        this.signals.add(heard);
        return () => this.signals.delete(heard);
      },
    });
    return { exit, out: this.out, err: this.err };
  }

  pass(ms: number): void {
    this.#now += ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#door?.close();
    rmSync(this.dataDir, { recursive: true });
  }
}
