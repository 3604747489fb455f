import type { Exposure, Link, Log } from "../drivers/driver.ts";

/** Ways in which codes leak, from us by configuration or from a system beside us: said at start, and in `agent/status`. */
export class Exposures {
  readonly #found: Exposure[] = [];
  readonly #log: Log;
  readonly #end = new AbortController();

  constructor(codesOverMqtt: "never" | "clear", log: Log) {
    this.#log = log;
    if (codesOverMqtt === "clear") {
      this.#add({
        problem: "codes are told in clear over MQTT to whoever may send credentials/get",
        cure: 'set mqtt.codes to "never"',
      });
    }
  }

  get found(): readonly Exposure[] {
    return this.#found;
  }

  /** Asks the far end of a link that has just opened. */
  async ask(name: string, link: Link | undefined): Promise<void> {
    try {
      for (const exposure of (await link?.exposures?.(this.#end.signal)) ?? []) this.#add(exposure, name);
    } catch (error) {
      if (!this.#end.signal.aborted) this.#log.warn({ link: name, error }, "cannot tell whether codes leak there");
    }
  }

  close(): void {
    this.#end.abort();
  }

  #add(exposure: Exposure, link?: string): void {
    this.#found.push(exposure);
    this.#log.warn({ ...(link === undefined ? {} : { link }), ...exposure }, "secrets_exposed");
  }
}
