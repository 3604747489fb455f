import type { Instant, Milliseconds } from "../../agent/domain/instant.ts";
import type { WireFrame, WireFrames } from "../../agent/domain/wire-tools.ts";
import type { Clock } from "../driver.ts";
import { type Command, decodeCommand } from "./commands.ts";
import type { LineCounts, Received } from "./deframer.ts";
import { decodeFrame, type Frame, type FrameFault } from "./frame.ts";
import type { Overhears } from "./overhears.ts";
import type { Pending, Protection } from "./pending.ts";
import { redacted } from "./redact.ts";
import { decodeReply, type Reply } from "./replies.ts";
import type { WrapFault } from "./secure-channel.ts";
import { suspicionWords } from "./suspicions.ts";
import { codeName, type Words, wordsOf } from "./words.ts";

/** Nobody has asked for so long: nobody listens any more. */
const listensFor: Milliseconds = 10_000;
const most = 2_000;
const mostAtOnce = 500;

const faults: Readonly<Record<FrameFault | "cut", string>> = {
  check: "its check is wrong: it was damaged on the line",
  length: "it is not as long as it says",
  layout: "there is no room in it for what it says it has",
  cut: "it has no end",
};
const busy = 0x79;
const nakCode = 0x41;

/**
 * What is said on a line, without its secrets, for as long as somebody asks for it again and again. All that is said has a
 * number, also while nobody listens, so that whoever asks hears how much he has missed.
 */
export class Recording implements Overhears {
  readonly #clock: Pick<Clock, "now">;
  #frames: WireFrame[] = [];
  #last = 0;
  #asked: Instant | undefined;
  #pending: Pending | undefined;
  #opened: { readonly received: Received; readonly data: Uint8Array | WrapFault } | undefined;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** @param after the number of the last frame that is known; undefined: from now on. */
  ask(after: number | undefined): WireFrames {
    this.#endUnasked();
    this.#asked = this.#clock.now();
    if (after === undefined || after > this.#last) return { frames: [], last: this.#last, missed: 0 };
    const frames = this.#frames.filter(({ number }) => number > after).slice(0, mostAtOnce);
    const last = frames.at(-1)?.number ?? this.#last;
    return { frames, last, missed: last - after - frames.length };
  }

  sent(pending: Pending, isRepeat: boolean): void {
    this.#pending = pending;
    this.#keep(() => {
      const frame = decodeFrame(pending.bytes);
      if (typeof frame === "string") return damaged(frame, pending.bytes.length);
      const { protection } = pending;
      const bytes = redacted({ frame, bytes: pending.bytes }, protection === "own_key");
      return { ...headOf(frame), direction: "sent", ...wordsOf(pending.command), protection, isRepeat, bytes };
    });
  }

  opened(received: Received, data: Uint8Array | WrapFault): void {
    if (this.#asked !== undefined) this.#opened = { received, data };
  }

  heard(received: Received, isOver: boolean): void {
    const data = this.#opened?.received === received ? this.#opened.data : undefined;
    this.#opened = undefined;
    // Some adapters give back what was sent.
    if (isEcho(received, this.#pending)) return;
    this.#keep(() => this.#told(received, data, isOver));
  }

  received(before: LineCounts, after: LineCounts): void {
    const noise = after.noise - before.noise;
    for (const fault of ["check", "length", "layout", "cut"] as const) {
      if (after[fault] > before[fault]) return this.#keep(() => damaged(fault, noise));
    }
    if (noise > 0) this.#keep(() => ({ ...nobodys, name: "noise", text: `${noise} bytes` }));
  }

  #told(received: Received, opened: Uint8Array | WrapFault | undefined, isOver: boolean): Told {
    const { frame } = received;
    const protection = this.#protectionOf(frame);
    const isSealed = opened instanceof Uint8Array && protection === "own_key";
    const words = wordsIn(received, opened);
    const problem = isOver ? whyUnused(received, opened) : this.#whyUnasked(received);
    return {
      ...headOf(frame),
      direction: "heard",
      ...words,
      protection,
      isRepeat: false,
      bytes: redacted(received, isSealed),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  #protectionOf({ security }: Frame): Protection {
    return (security && this.#pending?.protection) ?? "clear";
  }

  #whyUnasked({ frame }: Received): string {
    if (!frame.isReply) return suspicionWords.foreign_panel;
    const isOther = frame.address !== this.#pending?.bytes[1];
    return isOther ? "it comes from another address than was asked" : "it comes too late, or twice";
  }

  #keep(tell: () => Told): void {
    this.#last += 1;
    this.#endUnasked();
    if (this.#asked === undefined) return;
    this.#frames.push({ number: this.#last, at: this.#clock.now(), ...tell() });
    if (this.#frames.length > most) this.#frames.shift();
  }

  #endUnasked(): void {
    const silence = this.#clock.now() - (this.#asked ?? 0);
    if (silence >= 0 && silence < listensFor) return;
    this.#asked = undefined;
    this.#frames = [];
  }
}

type Told = Omit<WireFrame, "number" | "at">;

const nobodys = { direction: "heard", protection: "clear", isRepeat: false } as const;
/** Of what was damaged nobody can say which bytes are secret. */
const damaged = (fault: FrameFault | "cut", bytes: number): Told => ({
  ...nobodys,
  name: "damaged",
  text: `${bytes} bytes`,
  problem: faults[fault],
});

const headOf = ({ address, sequence }: Received["frame"]) => ({ address: String(address), sequence });
const isEcho = ({ frame, bytes }: Received, pending: Pending | undefined): boolean =>
  !frame.isReply && pending !== undefined && Buffer.compare(bytes, pending.bytes) === 0;

/** What is in it, where that can be read, and is of the shape that it must have. */
function wordsIn(
  { frame }: Received,
  opened: Uint8Array | WrapFault | undefined,
): Words & { readonly problem?: string } {
  const { code, isReply, mac } = frame;
  const data = opened instanceof Uint8Array ? opened : mac ? undefined : frame.data;
  const said: Command | Reply | undefined = data && (isReply ? decodeReply(code, data) : decodeCommand(code, data));
  if (said) return wordsOf(said);
  return { name: codeName(code), text: "", ...(data ? { problem: "it is not of the shape that it must have" } : {}) };
}

/** Of a reply that was waited for. A reader that is busy, or refuses in clear, keeps the rules. */
function whyUnused({ frame }: Received, opened: Uint8Array | WrapFault | undefined): string | undefined {
  if (typeof opened === "string") return suspicionWords[opened];
  if (opened || frame.code === busy || frame.code === nakCode) return undefined;
  return "it is not what is to be said now: nothing of it is used";
}
