import type { Log } from "../../drivers/driver.ts";
import type { Unencrypted } from "../store/outbox.ts";
import type { Store } from "../store/store.ts";
import { withCodesEncrypted, withoutCodes } from "./code-jwe.ts";

/** Made ready in one transaction. */
const atOnce = 16;

/**
 * Makes replies ready whose codes only one reader may see. They wait in the outbox, sealed, from the transaction of their
 * command on, so that none is lost where we end meanwhile; none is sent before it is encrypted.
 */
export class ReplyEncryption {
  readonly #store: Pick<Store, "outbox" | "transaction">;
  readonly #committed: () => void;
  readonly #failed: (error: unknown) => void;
  readonly #log: Log;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;

  constructor(
    store: Pick<Store, "outbox" | "transaction">,
    { committed, failed, log }: { committed: () => void; failed: (error: unknown) => void; log: Log },
  ) {
    this.#store = store;
    this.#committed = committed;
    this.#failed = failed;
    this.#log = log;
  }

  /** There may be some. */
  nudge(): void {
    this.#isAskedAgain = true;
    this.#running ??= this.#run()
      .catch(this.#failed)
      .finally(() => {
        this.#running = undefined;
        if (this.#isAskedAgain) this.nudge();
      });
  }

  /** Resolves when none is left. */
  async close(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isAskedAgain) {
      this.#isAskedAgain = false;
      const batch = this.#store.outbox.unencrypted(atOnce);
      if (batch.length === 0) continue;
      const bodies = await Promise.all(batch.map(async (reply) => this.#encrypted(reply)));
      this.#store.transaction(() => {
        for (const [index, reply] of batch.entries()) this.#store.outbox.encrypted(reply, bodies[index] ?? "");
      });
      this.#committed();
      this.#isAskedAgain = true;
    }
  }

  /** Who waits for it is answered in any case (Law 13): without codes, if nothing else can be. */
  async #encrypted({ body, replyKey, topic }: Unencrypted): Promise<string> {
    try {
      return await withCodesEncrypted(body, replyKey);
    } catch (error) {
      this.#log.error({ topic, error }, "the codes of a reply cannot be encrypted; it is sent without them");
      return withoutCodes(body);
    }
  }
}
