/** A broker that takes less than this says so (MQTT 5), or is in some other trouble when it hangs up. */
const unsuspicious = 16 * 1024;

interface Parcel {
  readonly topic: string;
  readonly payload: string;
  readonly correlation?: Uint8Array | undefined;
}

/** At most so many bytes is a PUBLISH besides topic, payload and Correlation Data (MQTT 5, 3.3). */
const overhead = 16;

/** What an operator can do. */
export const raiseLimit =
  "raise the broker's limit of the packet size (mosquitto: max_packet_size), then restart the agent";

/** The bytes of the packet that carries this, or a few more. */
export function packetSize({ topic, payload, correlation }: Parcel): number {
  return overhead + Buffer.byteLength(topic) + Buffer.byteLength(payload) + (correlation?.byteLength ?? 0);
}

/**
 * What a broker shows of its limit without saying it: by MQTT 3.1.1 it can only hang up on a packet that is too large, and
 * would again each time the same letter comes first. Learned once, it holds for the life of the session.
 */
export class PacketLimit {
  #largest = Number.POSITIVE_INFINITY;
  #suspect: number | undefined;

  /** The largest packet, in bytes, that we may still try. */
  get largest(): number {
    return this.#largest;
  }

  /**
   * Says whether the loss may be due to a letter that was too large.
   *
   * @param unanswered what a lost connection left so: the bytes of letters by their id, in the order of sending.
   */
  lost(unanswered: ReadonlyMap<number, number>): boolean {
    // Not always the very first: a broker that hangs up may take its last PUBACKs with it.
    const [id, bytes] = [...unanswered].find((letter) => letter[1] > unsuspicious) ?? [];
    if (bytes !== undefined && id === this.#suspect) this.#largest = Math.min(this.#largest, bytes - 1);
    this.#suspect = id;
    return id !== undefined;
  }
}
