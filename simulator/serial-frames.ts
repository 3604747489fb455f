const acknowledge = 0x06;
const refuse = 0x15;
const cancel = 0x18;
const startOfFrame = 0x01;

/**
 * Cuts a stream of bytes into what a Z-Wave controller's host says: frames, and single bytes that acknowledge, refuse or
 * cancel one. A serial line joins and splits them as it likes. What is none of these is left out.
 */
export class SerialFrames {
  #rest = new Uint8Array();

  push(bytes: Uint8Array): readonly Uint8Array<ArrayBuffer>[] {
    let rest = new Uint8Array([...this.#rest, ...bytes]);
    const frames: Uint8Array<ArrayBuffer>[] = [];
    while (rest.length > 0) {
      const length = lengthOf(rest);
      if (length === undefined || length > rest.length) break;
      if (length > 0) frames.push(rest.slice(0, length));
      rest = rest.slice(Math.max(length, 1));
    }
    this.#rest = rest;
    return frames;
  }
}

/** Of the frame that begins here: 0 where none begins, undefined where the length has not come yet. */
function lengthOf([first, counted]: Uint8Array): number | undefined {
  if (first === acknowledge || first === refuse || first === cancel) return 1;
  if (first !== startOfFrame) return 0;
  return counted === undefined ? undefined : counted + 2;
}
