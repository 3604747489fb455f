import { earliest, type Instant, later } from "../agent/domain/instant.ts";
import type { HostEnd } from "./osdp-host-end.ts";
import { PacedLine, type PacedLineOptions, type Station } from "./osdp-line.ts";
import type { OsdpReader } from "./osdp-reader.ts";

/**
 * Readers and a panel's machine on a line. Like the line, it has no clock of its own: {@link next} says when something happens, {@link advance}
 * lets it.
 */
export class OsdpBus {
  readonly line: PacedLine;
  readonly #stations = new Map<OsdpReader, Station>();
  readonly #hosts = new Set<HostEnd>();

  constructor(options: PacedLineOptions) {
    this.line = new PacedLine(options);
  }

  get readers(): readonly OsdpReader[] {
    return [...this.#stations.keys()];
  }

  connect(host: HostEnd): void {
    this.#hosts.add(host);
    this.line.join(host);
  }

  /** A reader is wired to the line. */
  join(reader: OsdpReader): void {
    if (this.#stations.has(reader)) return;
    const station: Station = {
      // It may be told to use another rate.
      get baud() {
        return reader.baud;
      },
      hear: (bytes, at) => {
        // What it says to a command to use another rate it says at this one.
        const { baud } = reader;
        for (const said of reader.onBytes(bytes, at)) this.line.say(station, said.bytes, later(at, said.after), baud);
      },
    };
    this.#stations.set(reader, station);
    this.line.join(station);
  }

  /** Its wires are cut. Nobody notices but by its silence. */
  leave(reader: OsdpReader): void {
    const station = this.#stations.get(reader);
    if (station) this.line.leave(station);
    this.#stations.delete(reader);
  }

  get next(): Instant | undefined {
    return earliest(this.#due());
  }

  advance(now: Instant): void {
    for (let at = this.next; at !== undefined && at <= now; at = this.next) {
      this.line.advance(at);
      for (const reader of this.#stations.keys()) reader.tick(at);
      for (const host of this.#hosts) host.tick(at);
    }
  }

  *#due(): Iterable<Instant | undefined> {
    yield this.line.next;
    for (const reader of this.#stations.keys()) yield reader.next;
    for (const host of this.#hosts) yield host.next;
  }
}
