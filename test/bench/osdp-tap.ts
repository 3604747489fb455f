import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A frame as it passed; times in milliseconds, by the clock of this process. */
export interface Passed {
  readonly by: "panel" | "reader";
  readonly address: number;
  /** The byte of command or reply, which is in clear also where the rest is not (reference 1.3). */
  readonly code: number;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

const start = 0x53;
const isSecured = 0x08;

/** Between an agent and a line with readers at a TCP port: sees every frame that passes, and when. */
export class OsdpTap implements AsyncDisposable {
  readonly passed: Passed[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param url `tcp://host:port` of the line. */
  static async open(url: string): Promise<OsdpTap> {
    const { hostname, port } = new URL(url);
    const server = createServer({ noDelay: true });
    const tap = new OsdpTap(server);
    server.on("connection", (panel) => {
      const line = connect({ host: hostname, port: Number(port), noDelay: true });
      tap.#join(panel, line, "panel");
      tap.#join(line, panel, "reader");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    return tap;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the tap does not listen");
    return `tcp://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(one: Socket, other: Socket, by: Passed["by"]): void {
    this.#sockets.add(one);
    const frames = new Frames(by, (frame) => this.passed.push(frame));
    one
      .on("error", () => undefined)
      .once("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    one.on("data", (chunk) => {
      const now = performance.now();
      other.write(chunk);
      frames.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk), now);
    });
  }
}

/** Finds frames in what one side says: from 0x53 on, by the length in them (reference 1.2). */
class Frames {
  readonly #by: Passed["by"];
  readonly #found: (frame: Passed) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;

  constructor(by: Passed["by"], found: (frame: Passed) => void) {
    this.#by = by;
    this.#found = found;
  }

  push(chunk: Buffer, now: number): void {
    if (this.#bytes.length === 0) this.#from = now;
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const at = this.#bytes.indexOf(start);
      this.#bytes = at === -1 ? Buffer.alloc(0) : this.#bytes.subarray(at);
      if (this.#bytes.length < 4) return;
      const length = this.#bytes.readUInt16LE(2);
      if (this.#bytes.length < length) return;
      const frame = this.#bytes.subarray(0, length);
      const isSecure = (frame.readUInt8(4) & isSecured) !== 0;
      const code = frame.readUInt8(5 + (isSecure ? frame.readUInt8(5) : 0));
      this.#found({
        by: this.#by,
        address: frame.readUInt8(1) & 0x7f,
        code,
        bytes: length,
        from: this.#from,
        to: now,
      });
      this.#bytes = this.#bytes.subarray(length);
      this.#from = now;
    }
  }
}
