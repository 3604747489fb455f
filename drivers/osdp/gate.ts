import type { Received } from "./deframer.ts";
import { nak } from "./nak.ts";

/*
 * Which reply is believed, in which state of a session, under which security block: the only place where that is decided
 * (reference 1.6, 3.3, 3.7). What it lets through under the types 0x15 to 0x18 has its MAC still to prove.
 */

/**
 * Where a session stands. `clear`: without the channel, by configuration. `greeting`: in clear, before the channel, where
 * nothing counts but that somebody is there. `challenged` and `proving`: in the two steps of the handshake.
 */
export type Stage = "clear" | "greeting" | "challenged" | "proving" | "channel";

export interface Answer {
  readonly code: number;
  readonly sequence: number;
  /** Of the security block; undefined: none. */
  readonly type: number | undefined;
  readonly isEmpty: boolean;
  /** Of a NAK that can be read. */
  readonly error?: number | undefined;
}

/** What was asked. */
export interface Asked {
  readonly code: number;
  readonly sequence: number;
}

export type Verdict =
  | "believed"
  /** Later again, the same bytes; its number means nothing. */
  | "busy"
  /** It has not understood: the same bytes again. */
  | "repeat"
  /** To something that was asked before: nothing to us. */
  | "late"
  /** It has begun anew, and so must we. */
  | "restart"
  /** It knows of no channel: a new handshake. */
  | "gone"
  /** It does not do what the handshake asks of it. */
  | "refused"
  /** Somebody is there, but of what it says nothing is used. */
  | "dropped"
  /** Nobody who keeps the rules says that: the session ends, and nothing of it is used. */
  | "breach";

const ack = 0x40;
const refusal = 0x41;
const ccrypt = 0x76;
const rmac = 0x78;
const busy = 0x79;
const keySet = 0x75;
/** PDID and PDCAP. */
const greetings = new Set([ack, refusal, 0x45, 0x46, 0x59]);
/** LSTATR to RSTATR. libosdp's readers prove them, and do not encrypt them. */
const isStatus = (code: number): boolean => code >= 0x48 && code <= 0x4b;

export function gate(stage: Stage, answer: Answer, asked: Asked): Verdict {
  if (answer.code === busy && answer.sequence === 0 && answer.type === undefined && answer.isEmpty) return "busy";
  if (answer.sequence !== asked.sequence) return answer.sequence === 0 ? "restart" : "late";
  switch (stage) {
    case "clear":
      return inClear(answer);
    case "greeting":
      return answer.type === undefined && greetings.has(answer.code) ? inClear(answer) : "dropped";
    case "challenged":
      return inHandshake(answer, { code: ccrypt, types: [0x12] });
    case "proving":
      // One maker's readers wrote the wrong type; the MAC in it is what counts.
      return inHandshake(answer, { code: rmac, types: [0x14, 0x12] });
    case "channel":
      return inChannel(answer, asked);
  }
}

function inClear({ code, type, error }: Answer): Verdict {
  if (type !== undefined) return "breach";
  if (code !== refusal) return "believed";
  if (error === nak.badCheck) return "repeat";
  return error === nak.unexpectedSequence ? "restart" : "believed";
}

interface Step {
  readonly code: number;
  readonly types: readonly number[];
}

function inHandshake({ code, type, error }: Answer, wanted: Step): Verdict {
  if (type !== undefined) return code === wanted.code && wanted.types.includes(type) ? "believed" : "breach";
  if (code !== refusal) return "breach";
  if (error === nak.badCheck) return "repeat";
  return error === nak.unexpectedSequence ? "restart" : "refused";
}

function inChannel({ code, type, isEmpty, error }: Answer, asked: Asked): Verdict {
  switch (type) {
    case undefined:
      if (code === refusal && error === nak.badCheck) return "repeat";
      if (code === refusal && error === nak.securityConditions) return "gone";
      // Some readers have changed the key by then. What is set counts once it is proven, so that nothing is believed by it.
      return code === ack && isEmpty && asked.code === keySet ? "believed" : "breach";
    case 0x15:
      return isStatus(code) ? "believed" : "breach";
    case 0x16:
      return isEmpty || isStatus(code) ? "believed" : "breach";
    case 0x18:
      return "believed";
    default:
      return "breach";
  }
}

/** Of a frame what its judgement needs. */
export function answerIn({ frame }: Received): Answer {
  const isRefusal = frame.code === refusal && frame.security === undefined;
  return {
    code: frame.code,
    sequence: frame.sequence,
    type: frame.security?.type,
    isEmpty: frame.data.length === 0,
    error: isRefusal ? frame.data[0] : undefined,
  };
}
