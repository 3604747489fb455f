import { rmSync } from "node:fs";
import { join } from "node:path";
import type { ZWaveNode, ZWaveOptions, Driver as Zwave } from "zwave-js";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import { LinkError, type Log } from "../driver.ts";
import { orAbort } from "../shared/or-abort.ts";
import { codeFree } from "./cache.ts";
import { type Ends, endsOf } from "./ends.ts";
import type { SecurityKeys } from "./keys.ts";
import type { Library } from "./library.ts";
import { type SendTimely, timely } from "./timely.ts";

export interface StackParts {
  readonly library: Library;
  readonly port: string;
  readonly keys: SecurityKeys;
  readonly timeout: Milliseconds;
  /** Where zwave-js keeps what it knows of the network, without codes. */
  readonly directory: string;
  readonly log: Log;
  /** Steps of the start that a test may leave out; see zwave-js's `testingHooks`. */
  readonly leaveOut?: ZWaveOptions["testingHooks"];
}

/** The folder for zwave-js's locks on its files. */
const locks = "locks";

/** Longer than any orderly end takes, and short enough for an agent that is told to stop. */
const patience: Milliseconds = 800;

/** A stick that was reset takes two or three seconds; one that was pulled out keeps zwave-js waiting for ever. */
const backAfterReset: Milliseconds = 15_000;

/** zwave-js, started, on a controller that answers. Of no use any more once `gone` is aborted. */
export class Stack implements AsyncDisposable {
  readonly #driver: Zwave;
  readonly #gone: AbortController;
  readonly #ends: () => Ends | undefined;
  readonly sendTimely: SendTimely;

  private constructor(driver: Zwave, library: Library, gone: AbortController, ends: () => Ends | undefined) {
    this.#driver = driver;
    this.#gone = gone;
    this.#ends = ends;
    this.sendTimely = timely(driver, library, ends);
  }

  /** Rejects with {@link LinkError} where no controller answers there, and with the signal's reason. */
  static async start(parts: StackParts, signal: AbortSignal): Promise<Stack> {
    const { library, port } = parts;
    // Those of one that was killed keep it from its files for seconds; nobody else uses the directory.
    rmSync(join(parts.directory, locks), { recursive: true, force: true });
    const gone = new AbortController();
    const loss = new LinkError(`the Z-Wave controller at ${port} is gone`);
    const lost = (): void => gone.abort(loss);
    let isReady = false;
    let tooLong: NodeJS.Timeout | undefined;
    // As it starts, zwave-js resets the stick, and some sticks leave the bus for that: it opens their port again.
    const failed = (): void => {
      if (isReady) lost();
      else tooLong ??= setTimeout(lost, backAfterReset);
    };
    let ends: Ends | undefined;
    const open = async (): Promise<Ends> => {
      gone.signal.throwIfAborted();
      const line = await library.openLine(port);
      if (gone.signal.aborted) {
        await line.close();
        throw loss;
      }
      ends = endsOf(line, () => {
        // zwave-js waits a second and tries to open it again, by a path that may be another device's by then.
        failed();
        return library.lineClosed();
      });
      return ends;
    };
    const driver = new library.Driver(open, optionsOf(parts));
    const stack = new Stack(driver, library, gone, () => ends);
    try {
      await orAbort(
        new Promise<void>((resolve, reject) => {
          gone.signal.addEventListener("abort", () => reject(loss), { once: true });
          driver.on("error", (error) => {
            // It says only that the controller failed, and closes itself.
            parts.log.debug({ error: error.message }, "zwave-js gave up");
            lost();
          });
          driver.once("driver ready", () => {
            isReady = true;
            resolve();
          });
          driver.start().catch(reject);
        }),
        signal,
      );
      return stack;
    } catch (cause) {
      await stack[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw new LinkError(`no Z-Wave controller answers at ${port}`, {
        sent: false,
        hint: "check port, that the stick is plugged in, and that no other program uses it",
        cause,
      });
    } finally {
      clearTimeout(tooLong);
    }
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  readonly send: Zwave["sendCommand"] = (command, options) => this.#driver.sendCommand(command, options);

  /** Handles commands of nodes before zwave-js does, and instead of it. */
  readonly onCommand: Zwave["registerCommandHandler"] = (isOurs, handle) =>
    this.#driver.registerCommandHandler(isOurs, handle);

  get controller(): Zwave["controller"] {
    return this.#driver.controller;
  }

  node(id: number): ZWaveNode | undefined {
    return this.gone.aborted ? undefined : this.#driver.controller.nodes.get(id);
  }

  /** Resolves when its port and files are closed, or soon after. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.gone.aborted) this.#gone.abort(new LinkError("the link to the Z-Wave controller is closed"));
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error("late")), patience);
    try {
      await orAbort(this.#driver.destroy(), late.signal);
    } catch {
      // What is not closed by now is closed when the operating system says so.
    } finally {
      clearTimeout(timer);
      // zwave-js may have opened it once more meanwhile, and a serial device that is held is nobody else's.
      this.#ends()
        ?.close()
        .catch(() => undefined);
    }
  }
}

/** When to try again is ours to say; zwave-js's own ten attempts to open a port are not in its types. */
const attempts = { openSerialPort: 1, nodeInterview: 5 };

const inBytes = (keys: Readonly<Record<string, string | undefined>>): Record<string, Uint8Array<ArrayBuffer>> =>
  Object.fromEntries(
    Object.entries(keys).flatMap(([name, hex]) =>
      hex === undefined ? [] : [[name, Uint8Array.from(Buffer.from(hex, "hex"))]],
    ),
  );

function optionsOf({
  library,
  keys,
  timeout,
  directory,
  leaveOut,
}: StackParts): ConstructorParameters<typeof Zwave>[1] {
  const { long_range: longRange = {}, ...classic } = keys;
  return {
    host: { db: codeFree(library.db), log: () => silence },
    storage: { cacheDir: directory, lockDir: join(directory, locks) },
    securityKeys: inBytes(classic),
    securityKeysLongRange: inBytes(longRange),
    timeouts: { report: timeout },
    attempts,
    // Without this zwave-js begins its acquaintance with a lock by deleting every code on it.
    interview: { queryAllUserCodes: true },
    ...(leaveOut ? { testingHooks: leaveOut } : {}),
  };
}

/** zwave-js's own log prints commands, and these hold codes: there is none, whatever the environment asks for. */
const silence = {
  getLogger: () => ({ log: () => undefined }),
  isLoglevelVisible: () => false,
  isNodeLoggingVisible: () => false,
  updateConfiguration: () => undefined,
  getConfiguration: () => ({
    enabled: false,
    level: "error",
    transports: [],
    logToFile: false,
    maxFiles: 0,
    filename: "",
    forceConsole: false,
  }),
  destroy: () => undefined,
};
