import { later, type Milliseconds } from "../../agent/domain/instant.ts";
import type { ChangeOutcome } from "../../agent/domain/wire-tools.ts";
import type { Clock } from "../driver.ts";
import { Waiters } from "../shared/waiters.ts";
import type { Happening, Result } from "./happening.ts";
import { nakWords } from "./nak.ts";
import type { Session } from "./session.ts";

/** A reader says at once what it will do. */
const answersWithin: Milliseconds = 5_000;
const margin: Milliseconds = 2_000;
const id = "another address";

interface Parts {
  readonly session: Session;
  /** That of the line: another one would have to be that of all its readers, at once. */
  readonly baud: number;
  readonly clock: Clock;
  /** The line has something to say. */
  readonly wake: () => void;
  /** Its key may be asked for at another address from now on, too. */
  readonly keepKeysAt: (address: string) => void;
}

/** Gives one reader another address by COMSET, under its key where it has one (reference 2.1). */
export class AddressChange {
  readonly #parts: Parts;
  readonly #heard: Waiters<Happening>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#heard = new Waiters(parts.clock);
  }

  /** Something of its session. */
  hear(happening: Happening): void {
    this.#heard.hear(happening);
  }

  /** @param isTaken whether another reader of the line is configured there. */
  async to(address: number, isTaken: boolean, signal: AbortSignal): Promise<ChangeOutcome> {
    const { session, baud, clock, wake, keepKeysAt } = this.#parts;
    if (isTaken) return refused(`address ${address} is that of another reader of this line`);
    if (!session.isOnline) return refused("it is offline: bring it back first");
    // Before it is told: it may be there, and we may be gone before we know.
    keepKeysAt(String(address));
    const told = this.#heard.next((happening) => answerIn(happening, address), answersWithin + margin, signal);
    const deadline = later(clock.now(), answersWithin);
    session.want({ id, command: { command: "COMSET", address, baud }, deadline });
    wake();
    const answer = (await told) ?? unknown(address);
    if ("result" in answer) return answer;
    // It says what it will do, which need not be what it was told.
    keepKeysAt(String(answer.at));
    return done(answer.at, answer.at === address ? "" : ", and not where it was told");
  }
}

function answerIn(happening: Happening, address: number): ChangeOutcome | { readonly at: number } | undefined {
  if (happening.happening === "moved") return { at: happening.address };
  return happening.happening === "result" && happening.id === id ? failureOf(happening.result, address) : undefined;
}

/** What came of it where the reader stays, or may stay, where it is; undefined: it has answered, and says the rest itself. */
function failureOf(result: Result, address: number): ChangeOutcome | undefined {
  switch (result.result) {
    case "done":
      return undefined;
    case "refused":
      return refused(`it does not do that: ${nakWords(result.error)}`);
    case "unsent":
      return refused("it could not be told");
    case "unknown":
      return unknown(address);
  }
}

const refused = (detail: string): ChangeOutcome => ({ result: "refused", detail });

const done = (address: number, but: string): ChangeOutcome => ({
  result: "done",
  detail: `it is at address ${address} from now on${but}: write that into the readers of its link and into its device, and start latchd again`,
});

const unknown = (address: number): ChangeOutcome => ({
  result: "unknown",
  detail: `it has not said so: it may be where it was or at address ${address}, and has the same key at both`,
});
