import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import { type ActEffect, type Clock, LinkError, type PhysicalAct, type ReaderAnswer } from "../driver.ts";
import { decode } from "../shared/decode.ts";
import { untilAny } from "../shared/until-any.ts";
import { Waiters } from "../shared/waiters.ts";
import { bitCountOf } from "./card-format.ts";

/** A reader that is not told by then is not told any more. */
const answeredWithin: Milliseconds = 2_000;
/** Keys are told one by one, each when the reader is asked next. */
const perKey: Milliseconds = 400;

const reply = z.discriminatedUnion("happened", [
  z.looseObject({ happened: z.literal("done"), kept: z.boolean().optional() }),
  z.looseObject({ happened: z.literal("error"), error: z.string() }),
]);

interface Answered {
  readonly address: string;
  readonly decision: ReaderAnswer;
}

/** Whoever stands before readers of which all are simulated: what he does goes to the simulator, at its socket. */
export class Simulator {
  readonly #path: string;
  readonly #answers: Waiters<Answered>;

  /** @param path of the socket that `simulate:osdp --control` makes. */
  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#answers = new Waiters(clock);
  }

  /** A reader has shown what was decided. */
  answered(address: string, decision: ReaderAnswer): void {
    this.#answers.hear({ address, decision });
  }

  /** Resolves when the reader was answered, or will not be. Rejects with {@link LinkError} where no simulator is there. */
  async act(address: string, act: PhysicalAct, signal: AbortSignal): Promise<ActEffect> {
    if (act.act === "power") {
      await this.#ask({ reader: address, act: "power", on: false });
      await this.#ask({ reader: address, act: "power", on: true });
      return { effect: "done" };
    }
    const request = requestOf(act);
    if (!request) return { effect: "refused" };
    const within = answeredWithin + (act.act === "type" ? act.digits.reveal().length * perKey : 0);
    return untilAny([signal], async (until) => {
      const decisionOf = (one: Answered): ReaderAnswer | undefined =>
        one.address === address ? one.decision : undefined;
      const answer = this.#answers.next(decisionOf, within, until);
      answer.catch(() => undefined);
      // What nobody comes for is not answered.
      if (!(await this.#ask({ reader: address, ...request }))) return { effect: "done" };
      return { effect: effects[(await answer) ?? "ignored"] };
    });
  }

  /** @returns whether the reader will tell of it. */
  async #ask(request: object): Promise<boolean> {
    const socket = connect(this.#path);
    try {
      const line = await answerOf(socket, request).catch((cause: unknown) => {
        throw new LinkError(`no simulator answers at ${this.#path}`, {
          sent: false,
          hint: "start it with npm run simulate:osdp -- --control and this path",
          cause,
        });
      });
      const told = decode(line, reply);
      if (told?.happened === "done") return told.kept !== false;
      throw new LinkError(`the simulator at ${this.#path} does not do that: ${told?.error ?? "it is another program"}`);
    } finally {
      socket.destroy();
    }
  }
}

const effects = { admit: "opened", deny: "denied", ignored: "done" } as const;

/** As the simulator is told; undefined: nobody can do that at a reader. */
function requestOf(act: PhysicalAct): object | undefined {
  if (act.act === "type") return { act: "type", digits: act.digits.reveal() };
  if (act.act !== "card") return undefined;
  const count = bitCountOf(act.format);
  const bits = act.bits.reveal();
  return count !== undefined && bits.length === Math.ceil(count / 8) * 2
    ? { act: "card", bits: `${count}:${bits}` }
    : undefined;
}

async function answerOf(socket: Socket, request: object): Promise<string> {
  await once(socket, "connect");
  socket.write(`${JSON.stringify(request)}\n`);
  for await (const line of createInterface({ input: socket })) return line;
  throw new Error("it says nothing");
}
