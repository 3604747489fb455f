import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { until } from "../mqtt-support.ts";

const program = fileURLToPath(new URL("server.js", import.meta.resolve("@seamapi/fake-seam-connect")));

/** It would listen on every address of the machine, and on a port that it is told. */
const onLoopback = `
  import { Server } from "node:net";
  const listen = Server.prototype.listen;
  Server.prototype.listen = function (...given) {
    const done = given.findLast((one) => typeof one === "function");
    this.once("listening", () => console.log("listens on " + this.address().port + "."));
    return listen.call(this, { host: "127.0.0.1", port: 0 }, done);
  };`;

/** Seam's own stand-in for its API, in a process of its own, with the workspace that it begins with. */
export class SeamFake {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  static async start(): Promise<SeamFake> {
    const preload = `data:text/javascript,${encodeURIComponent(onLoopback)}`;
    const child = spawn(process.execPath, ["--import", preload, program, "--seed"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    // It looks for a free port first by listening on one, and says where it is when it is there to stay.
    await until("the fake listens", () => said.includes("http://localhost:"), 25_000);
    const port = [...said.matchAll(/listens on (\d+)\./g)].at(-1)?.[1];
    return new SeamFake(`http://127.0.0.1:${port}`, child);
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}
