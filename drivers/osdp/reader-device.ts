import type { Abilities } from "../../agent/domain/abilities.ts";
import type { Credential } from "../../agent/domain/credential.ts";
import { later, type Milliseconds } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import {
  type ActOutcome,
  type Asked,
  type Bolt,
  type Host,
  LinkError,
  type LockDevice,
  type Reader,
  type ReaderAnswer,
} from "../driver.ts";
import { boltVerdict, type IsOver, unlessTooLate } from "../shared/bolt-verdict.ts";
import { Waiters } from "../shared/waiters.ts";
import type { ReaderAbilities } from "./capabilities.ts";
import { cardOf } from "./card-format.ts";
import type { Command } from "./commands.ts";
import type { Happening, Result } from "./happening.ts";
import { nakWords } from "./nak.ts";
import type { ReaderOptions } from "./options.ts";
import type { Identity } from "./replies.ts";
import { Senses, type Told } from "./senses.ts";
import type { Session } from "./session.ts";
import { atRest, signalsOf } from "./signals.ts";

/** What a reader is told is of use for so long. */
const ofUseFor: Milliseconds = 3_000;
/** Longer than a session keeps a command. */
const patience: Milliseconds = 15_000;

interface Parts {
  readonly address: string;
  readonly options: ReaderOptions;
  readonly session: Session;
  readonly host: Pick<Host, "clock" | "log">;
  /** The line has something to say. */
  readonly wake: () => void;
  readonly report: (event: Told) => void;
  /** An order to the strike was not answered: it may be on its way. */
  readonly inDoubt: () => void;
  /** It has shown what was decided. */
  readonly answered: (decision: ReaderAnswer) => void;
}

/** A reader on a line, as the agent has it. */
export class ReaderDevice implements LockDevice {
  readonly reader: Reader;
  readonly bolt: Bolt | undefined;
  readonly #parts: Parts;
  readonly #heard: Waiters<Happening>;
  #identity: Identity | undefined;
  #abilities: ReaderAbilities | undefined;
  /** As it told them last. */
  #outputs: readonly number[] = [];
  readonly #senses: Senses;
  /** Orders to the strike of which no result was told yet. */
  readonly #orders = new Set<string>();
  #ids = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#heard = new Waiters(parts.host.clock);
    this.#senses = new Senses(parts.options.contact);
    this.reader = { answer: (to, decision, signal) => this.#answer(to, decision, signal) };
    const { strike } = parts.options;
    this.bolt = strike && { unlock: (signal, isOver) => this.#unlock(strike, signal, isOver) };
  }

  async abilities(signal: AbortSignal): Promise<Abilities> {
    const result = await this.#do({ command: "ID", kind: 0 }, signal);
    const identity = this.#identity;
    if (result.result !== "done" || !identity) throw this.#silent(result);
    const { vendor, model, version, serial } = identity;
    return {
      identity: `${vendor}-${model}-${serial}`,
      model: `${vendor} ${model}.${version}`,
      reader: true,
      ...(this.bolt && this.#lacks() === undefined ? { bolt: { locks: false } } : {}),
    };
  }

  /** Something of its session. */
  hear(happening: Happening): void {
    const { report, session } = this.#parts;
    if (happening.happening === "identity") this.#identity = happening.identity;
    if (happening.happening === "abilities") this.#able(happening.abilities);
    if (happening.happening === "outputs") this.#outputs = happening.states;
    if (happening.happening === "result" && this.#orders.delete(happening.id)) this.#ordered(happening.result);
    this.#heard.hear(happening);
    if (happening.happening === "online" || happening.happening === "offline") report({ event: happening.happening });
    if (happening.happening === "online") session.want({ id: "at rest", command: atRest(0) });
    if (happening.happening === "card") this.#shown(happening);
    if (happening.happening === "keys") report({ event: "keys", digits: happening.keys, ...where(happening) });
    for (const told of this.#senses.hear(happening)) report(told);
  }

  /** Whether an order to the strike may be on its way. */
  get isOrdering(): boolean {
    return this.#orders.size > 0;
  }

  /** Also where nobody waits for it any more. */
  #ordered({ result }: Result): void {
    if (result === "unknown") this.#parts.inDoubt();
  }

  #able(abilities: ReaderAbilities): void {
    this.#abilities = abilities;
    const { address, host } = this.#parts;
    const problem = this.#lacks();
    if (problem !== undefined)
      host.log.warn({ address, problem }, "a reader cannot move the strike that it is to move");
  }

  /** Why it cannot move the strike; undefined: it can, or has not said what it can. */
  #lacks(): string | undefined {
    const { strike } = this.#parts.options;
    if (!strike || !this.#abilities) return undefined;
    const { outputs, timedOutputs } = this.#abilities;
    if (strike.output >= outputs)
      return `it has ${outputs} outputs, and the strike is to be at output ${strike.output}`;
    // Who is to end it himself leaves the door open if he dies.
    return timedOutputs ? undefined : "its outputs have no timer: drive the strike from elsewhere";
  }

  #shown(happening: Extract<Happening, { happening: "card" }>): void {
    const { address, host, options, report } = this.#parts;
    const credential = cardOf(happening.card, options.cards);
    if (typeof credential !== "string") {
      return report({ event: "presented", credential: asPresented(credential), ...where(happening) });
    }
    // It says nothing that anybody could be let in for; that somebody was there is told.
    host.log.warn({ address, problem: credential }, "a card is of none of the formats of this reader");
    return report({ event: "denied", reason: "card_format" });
  }

  async #answer(to: Asked, decision: ReaderAnswer, signal: AbortSignal): Promise<void> {
    for (const command of signalsOf(decision, Number(to.reader ?? 0))) {
      const result = await this.#do(command, signal);
      // What it does not have, nobody sees.
      if (result.result !== "done" && result.result !== "refused") throw this.#silent(result);
    }
    this.#parts.answered(decision);
  }

  async #unlock(strike: Strike, signal: AbortSignal, isOver: IsOver): Promise<ActOutcome> {
    const problem = this.#lacks();
    if (problem !== undefined) return { result: "refused", detail: problem };
    unlessTooLate(signal, isOver);
    const timer = Math.round(strike.seconds * 10);
    const order: Command = { command: "OUT", outputs: [{ output: strike.output, code: 5, timer }] };
    const result = await this.#do(order, signal, isOver);
    if (result.result === "unsent") throw this.#silent(result);
    if (result.result === "unknown") return { result: "unknown" };
    if (result.result === "refused") return boltVerdict({ no: nakWords(result.error) }, undefined);
    return boltVerdict("yes", await this.#isOn(strike.output, signal));
  }

  /** Whether an output is on, by the reader's word: not waited for longer than for its answer, as the next one stands there. */
  async #isOn(output: number, signal: AbortSignal): Promise<true | undefined> {
    this.#outputs = [];
    await this.#do({ command: "OSTAT" }, signal).catch(() => undefined);
    // Where it does not tell, or is off again, nothing is known against what it has answered.
    return this.#outputs[output] === 1 ? true : undefined;
  }

  async #do(command: Command, signal: AbortSignal, isOver: IsOver = () => false): Promise<Result> {
    const { host, session, wake } = this.#parts;
    this.#ids += 1;
    const id = String(this.#ids);
    const heard = this.#heard.next(
      (happening) => (happening.happening === "result" && happening.id === id ? happening.result : undefined),
      patience,
      signal,
    );
    heard.catch(() => undefined);
    if (command.command === "OUT") this.#orders.add(id);
    const deadline = later(host.clock.now(), ofUseFor);
    session.want({ id, command, deadline, isOver: () => signal.aborted || isOver() });
    wake();
    return (await heard) ?? { result: "unknown" };
  }

  #silent({ result }: Result): LinkError {
    return new LinkError(`reader ${this.#parts.address} does not answer`, {
      sent: result !== "unsent",
      hint: "check its power, its wires, its address and the rate of the line; npx latchd status tells more of it",
    });
  }
}

/** As cards are named in commands: the bits alone, and how many there are in the format, where that does not say it. */
function asPresented({ format, bits }: Card): Card {
  const [count = "", hex = ""] = bits.reveal().split(":");
  return { kind: "card", format: format === "raw" ? `raw${count}` : format, bits: new Secret(hex) };
}

type Card = Extract<Credential, { readonly kind: "card" }>;
type Strike = NonNullable<ReaderOptions["strike"]>;

const where = ({ reader, stale }: { readonly reader: number; readonly stale: boolean }) => ({
  ...(reader > 0 ? { reader: String(reader) } : {}),
  ...(stale ? { stale: true as const } : {}),
});
