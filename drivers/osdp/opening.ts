import type { Instant, Milliseconds } from "../../agent/domain/instant.ts";
import type { Stage } from "./gate.ts";
import type { Step } from "./handshake.ts";
import type { Happening, Suspicion } from "./happening.ts";
import type { Key } from "./key.ts";
import { KeyRing } from "./key-ring.ts";
import { installProbe, unpairedProbe } from "./pace.ts";
import type { Protection } from "./pending.ts";
import type { Reply } from "./replies.ts";
import type { SessionKeys } from "./secure-channel.ts";

/** What the session is to do next. What there is to tell is told before that. */
export type Outcome = { readonly tell?: readonly Happening[] } & (
  | { readonly do: "go_on" }
  /** That is said on the next turn, and its reply is judged as one in that stage. */
  | { readonly do: "say"; readonly stage: Stage; readonly step: Step }
  /** The channel is open: from now on all is said in it. */
  | { readonly do: "enter"; readonly keys: SessionKeys; readonly mac: Uint8Array; readonly protection: Protection }
  /** All is begun anew, after so long. `restart`: by asking who is there. `shake`: with the handshake, as that is known. */
  | { readonly do: "restart" | "shake"; readonly wait: Milliseconds }
  | { readonly do: "breach"; readonly why: Suspicion }
);

/**
 * How the channel to one reader is opened, with which of its keys, and how the reader is given another (reference 3.2, 3.6,
 * 3.7). It sends nothing and knows no time but what it is told: it answers with what is to be done.
 */
export class Opening {
  readonly #keys: KeyRing;

  constructor(keys: readonly Key[]) {
    this.#keys = new KeyRing(keys);
  }

  /** Whether there is a key to be set in the channel as it is now. */
  get isKeyDue(): boolean {
    return this.#keys.toSet !== undefined;
  }

  rotate(key: Key): void {
    this.#keys.rotate(key);
  }

  pair(key: Key, until: Instant): Outcome {
    this.#keys.pair(key, until);
    return { do: "restart", wait: 0 };
  }

  /** Looks whether the time to pair is over. @param isReady whether the reader is in use. */
  tick(now: Instant, isReady: boolean): Outcome {
    if (!this.#keys.isPairingOver(now)) return { do: "go_on" };
    const tell = this.#keys.endPairing(false);
    return this.#keys.isOpenToAll || !isReady ? { do: "restart", wait: 0, tell } : { do: "go_on", tell };
  }

  /** Step 1. @param random strong, and of this attempt only. */
  challenge(random: Uint8Array): Outcome {
    const attempt = this.#keys.begin(random);
    if (!attempt) return { do: "restart", wait: unpairedProbe, tell: [{ happening: "unpaired" }] };
    return { do: "say", stage: "challenged", step: attempt.challenge };
  }

  /** Step 2, and with it step 3. @param selector of its security block. */
  challenged(reply: Reply | undefined, selector: number | undefined): Outcome {
    const proof = this.#keys.attempt?.challenged(reply, selector) ?? "layout";
    return typeof proof === "string" ? this.#otherKey(proof) : { do: "say", stage: "proving", step: proof };
  }

  /** Step 4. */
  proven(reply: Reply | undefined): Outcome {
    const begun = this.#keys.attempt?.proven(reply);
    if (!begun) return this.refused();
    const protection = this.#keys.isOpenToAll ? "default_key" : "own_key";
    return { do: "enter", ...begun, protection, tell: this.#keys.proven() };
  }

  /** The reader does not do what the handshake asks of it. */
  refused(): Outcome {
    return this.#otherKey("key_refused");
  }

  /** What gives the reader the key that is due; undefined: none is. */
  keySet(): Outcome | undefined {
    const key = this.#keys.setting();
    if (!key) return undefined;
    return {
      do: "say",
      stage: "channel",
      step: { command: { command: "KEYSET", keyType: 1, key } },
      tell: [{ happening: "key_sent", key }],
    };
  }

  /** Only a refusal of the new key counts: that it has the key the reader has to prove. */
  keyAnswered(reply: Reply | undefined): Outcome {
    if (reply?.reply !== "NAK") return { do: "shake", wait: 0 };
    const tell = this.#keys.notSet(reply.error);
    return this.#keys.isOpenToAll ? { do: "restart", wait: 0, tell } : { do: "go_on", tell };
  }

  /** Of an attempt, or of its channel, nothing is left. */
  drop(): void {
    this.#keys.drop();
  }

  wipe(): void {
    this.#keys.wipe();
  }

  /** The reader does not have the key that was tried. Nothing but the next one of its own is tried now. */
  #otherKey(why: Suspicion): Outcome {
    if (this.#keys.failed()) return { do: "shake", wait: 0 };
    if (!this.#keys.isOpenToAll) return { do: "breach", why };
    return { do: "restart", wait: installProbe, tell: [{ happening: "not_installing" }] };
  }
}
