import { checksum, crc16 } from "./check.ts";
import { low16, read16 } from "./little-endian.ts";

/*
 * A frame of OSDP (reference 1.2; SIA OSDP 2.2.2, 5.9): SOM, address, length, control, a security block where there is one,
 * a code, data, a MAC where the security block says so, and a check.
 */

/** Every frame begins with it; it occurs in data, too. */
export const som = 0x53;
/** Goes ahead of each frame, so that the line is driven before it counts. It is no part of the frame. */
export const mark = 0xff;
/** SOM to check (5.6). */
export const longestFrame = 1440;
export const shortestFrame = 7;
/** Every reader obeys and answers it: only for a line with exactly one. */
export const everyone = 0x7f;

export type Check = "crc" | "checksum";

export interface SecurityBlock {
  /** 0x11 to 0x18, from D.1.3; others belong to what came later. */
  readonly type: number;
  readonly data: Uint8Array;
}

export interface Frame {
  /** 0 to 0x7F. */
  readonly address: number;
  /** From a reader to the panel. */
  readonly isReply: boolean;
  /** 0 to 3. */
  readonly sequence: number;
  readonly check: Check;
  readonly security?: SecurityBlock;
  /** Of a command or a reply. Never encrypted. */
  readonly code: number;
  /** As it is on the wire: encrypted under the types 0x17 and 0x18. */
  readonly data: Uint8Array;
  /** The first four bytes of the MAC, under the types 0x15 to 0x18. */
  readonly mac?: Uint8Array;
}

/** `length`: not what the frame says of itself. `check`: damaged. `layout`: no room for what it says it has. */
export type FrameFault = "length" | "check" | "layout";

const header = 5;
export const macLength = 4;
const checkLength = (check: Check): number => (check === "crc" ? 2 : 1);
/** Whether a security block of the type promises a MAC. */
const hasMac = (security: SecurityBlock | undefined): boolean =>
  security !== undefined && security.type >= 0x15 && security.type <= 0x18;

/** The bytes of a frame up to its MAC: what a MAC is made of. Its length counts MAC and check already. */
export function beforeMac(frame: Omit<Frame, "mac">): Uint8Array {
  const { security, check, data } = frame;
  const block = security ? [security.data.length + 2, security.type, ...security.data] : [];
  const mac = hasMac(security) ? macLength : 0;
  const length = header + block.length + 1 + data.length + mac + checkLength(check);
  const control = frame.sequence | (check === "crc" ? 0x04 : 0) | (security ? 0x08 : 0);
  const address = frame.address | (frame.isReply ? 0x80 : 0);
  return Uint8Array.from([som, address, ...low16(length), control, ...block, frame.code, ...data]);
}

/** With its check; without the mark. The MAC, where there is to be one, is in the frame. */
export function encodeFrame(frame: Frame): Uint8Array {
  return closeFrame(beforeMac(frame), frame.mac ?? new Uint8Array(), frame.check);
}

/** Puts MAC and check behind what is before them. */
export function closeFrame(before: Uint8Array, mac: Uint8Array, check: Check): Uint8Array {
  const checked = Uint8Array.from([...before, ...mac]);
  return Uint8Array.from([...checked, ...(check === "crc" ? low16(crc16(checked)) : [checksum(checked)])]);
}

/** Of the bytes of a whole frame those that its MAC is made of, as they came. */
export const macInput = (bytes: Uint8Array, check: Check): Uint8Array =>
  bytes.subarray(0, bytes.length - macLength - checkLength(check));

/**
 * One frame from exactly its bytes, SOM to check. Whose it is, and whether it is believed, is for others to say. The
 * reserved bits of control are not looked at.
 */
export function decodeFrame(bytes: Uint8Array): Frame | FrameFault {
  const [, address = 0, , , control = 0] = bytes;
  if (!isWhole(bytes)) return "length";
  const check: Check = control & 0x04 ? "crc" : "checksum";
  const end = bytes.length - checkLength(check);
  if (!isIntact(bytes, end, check)) return "check";
  const body = bodyOf(bytes, control & 0x08 ? securityAt(bytes, header, end) : undefined, end);
  if (body === "layout") return body;
  return {
    address: address & 0x7f,
    isReply: (address & 0x80) !== 0,
    sequence: control & 0x03,
    check,
    ...body,
  };
}

const isWhole = (bytes: Uint8Array): boolean =>
  bytes[0] === som &&
  bytes.length >= shortestFrame &&
  bytes.length <= longestFrame &&
  read16(bytes, 2) === bytes.length;

/** What stands between the header and the check, which begins at `end`. */
function bodyOf(
  bytes: Uint8Array,
  security: SecurityBlock | "layout" | undefined,
  end: number,
): Pick<Frame, "security" | "code" | "data" | "mac"> | "layout" {
  if (security === "layout") return security;
  const at = header + (security ? security.data.length + 2 : 0);
  const dataEnd = end - (hasMac(security) ? macLength : 0);
  const code = bytes[at];
  if (code === undefined || at >= dataEnd) return "layout";
  return {
    ...(security ? { security } : {}),
    code,
    data: bytes.slice(at + 1, dataEnd),
    ...(hasMac(security) ? { mac: bytes.slice(dataEnd, end) } : {}),
  };
}

function isIntact(bytes: Uint8Array, end: number, check: Check): boolean {
  const checked = bytes.subarray(0, end);
  return check === "crc" ? crc16(checked) === read16(bytes, end) : checksum(checked) === bytes[end];
}

function securityAt(bytes: Uint8Array, at: number, end: number): SecurityBlock | "layout" {
  const [length = 0, type = 0] = bytes.subarray(at, at + 2);
  return length < 2 || at + length > end ? "layout" : { type, data: bytes.slice(at + 2, at + length) };
}
