import { z } from "zod";
import { type Instant, later, type Milliseconds, toIso } from "../agent/domain/instant.ts";
import type { Clock } from "../drivers/driver.ts";
import { type Expectation, type Found, isMet, look } from "./expectation.ts";
import type { Answer, House, Told } from "./house.ts";
import { happeningNames, type Scenario, type Step } from "./scenario.ts";
import { Watch } from "./watch.ts";

/** How a scenario went. */
export interface Outcome {
  readonly held: number;
  /** Expectations that did not hold, and steps that went otherwise than they were to go. */
  readonly missed: number;
}

interface Stage {
  readonly house: House;
  readonly clock: Clock;
  readonly tell: (told: Told) => void;
  readonly signal: AbortSignal;
}

const glance: Milliseconds = 100;
type Of<Name extends keyof Step> = NonNullable<Step[Name]>;

/** Lets a scenario happen, in real time, and tells of it. Rejects with the signal's reason where it is aborted. */
export async function play(scenario: Scenario, stage: Stage): Promise<Outcome> {
  return new Play(scenario, stage).run();
}

class Play {
  readonly #scenario: Scenario;
  readonly #stage: Stage;
  readonly #watch: Watch;
  readonly #start: Instant;
  #held = 0;
  #missed = 0;
  /** How many events had come before the last step that did something. */
  #seen = 0;

  constructor(scenario: Scenario, stage: Stage) {
    this.#scenario = scenario;
    this.#stage = stage;
    this.#watch = new Watch(stage.house, stage.tell);
    this.#start = stage.clock.now();
  }

  async run(): Promise<Outcome> {
    for (const [lock, { faults }] of Object.entries(this.#scenario.locks)) {
      for (const setting of faults)
        await this.#do("fault", { lock, ...setting }, "simulate/fault", { lock, ...setting });
    }
    for (const step of this.#scenario.timeline) {
      if (step.at !== undefined) await this.#until(later(this.#start, step.at * 1_000));
      if (step.expect) await this.#expect(step.expect, this.#lastMoment(step));
      else await this.#happen(step);
    }
    return { held: this.#held, missed: this.#missed };
  }

  /** Looks on until then. */
  async #until(then: Instant): Promise<void> {
    const { clock, signal } = this.#stage;
    for (;;) {
      await this.#watch.look();
      const left = then - clock.now();
      if (left <= 0) return;
      await clock.sleep(Math.min(left, glance), signal);
    }
  }

  /** Until when it may take to be so. */
  #lastMoment({ by, within }: Step): Instant {
    const { clock } = this.#stage;
    if (by !== undefined) return later(this.#start, by * 1_000);
    return later(clock.now(), (within ?? 0) * 1_000);
  }

  async #expect(expected: Expectation, last: Instant): Promise<void> {
    const { clock, signal, house, tell } = this.#stage;
    for (;;) {
      signal.throwIfAborted();
      await this.#watch.look();
      const isLast = clock.now() >= last;
      const found = await look(expected, house, this.#watch.events.slice(this.#seen));
      const held = isMet(expected, found);
      if (held || isLast) {
        // What has led to it is told first.
        await this.#watch.look();
        if (held) this.#held += 1;
        else this.#missed += 1;
        return tell(expectedTold(expected, found, held));
      }
      await clock.sleep(glance, signal);
    }
  }

  async #happen(step: Step): Promise<void> {
    await this.#watch.look();
    this.#seen = this.#watch.events.length;
    for (const name of happeningNames) if (name !== "expect") await this.#performers[name](step);
  }

  readonly #performers: Readonly<
    Record<Exclude<(typeof happeningNames)[number], "expect">, (step: Step) => Promise<unknown> | undefined>
  > = {
    grant: ({ grant }) => grant && this.#grant(grant),
    revoke: ({ revoke }) =>
      revoke && this.#do("revoke", revoke, "user_identities/revoke_access_to_device", pairOf(revoke)),
    bring: ({ bring }) => bring && this.#bring(bring),
    command: ({ command }) => command && this.#command(command),
    fault: ({ fault }) => fault && this.#do("fault", fault, "simulate/fault", fault),
    mend: ({ mend }) => mend && this.#do("mend", mend, "simulate/fault", { ...mend, on: false }),
    type: ({ type }) => type && this.#type(type),
    program: ({ program }) => program && this.#program(program),
    delete: (step) => step.delete && this.#delete(step.delete),
    delete_all: ({ delete_all: of }) => of && this.#do("delete_all", of, "act/delete_all", of),
    reset: ({ reset }) => reset && this.#do("reset", reset, "act/reset", reset),
    power: ({ power }) => power && this.#do("power", power, "act/power", power),
    battery: ({ battery }) => battery && this.#do("battery", battery, "act/battery", battery),
    restart: ({ restart }) => restart && this.#restart("stop", restart.away),
    kill: ({ kill }) => kill && this.#restart("kill", kill.away),
  };

  #grant(grant: Of<"grant">): Promise<Answer | undefined> {
    const { person, lock, from, until, key } = grant;
    if (from === undefined && until === undefined && key === undefined) {
      return this.#do("grant", grant, "user_identities/grant_access_to_device", pairOf(grant));
    }
    const when = (seconds: number): string => toIso(later(this.#start, seconds * 1_000));
    return this.#do("grant", grant, "access_grants/create", {
      user_identity_id: person,
      device_ids: [lock],
      ...(from === undefined ? {} : { starts_at: when(from) }),
      ...(until === undefined ? {} : { ends_at: when(until) }),
      ...(key === undefined ? {} : { access_grant_key: key }),
    });
  }

  #bring({ person, pin }: Of<"bring">): Promise<Answer | undefined> {
    return this.#do("bring", { person }, "credentials/set", { user_identity_id: person, kind: "pin", value: pin });
  }

  #command({ name, parameters, refused }: Of<"command">): Promise<Answer | undefined> {
    return this.#do("command", { name }, name, parameters, (answer) =>
      refused === undefined ? answer.ok : answer.error?.type === refused,
    );
  }

  async #type({ lock, person, pin, opens }: Of<"type">): Promise<void> {
    const digits = pin ?? (person === undefined ? undefined : await this.#pinOf(person, lock));
    const who = { lock, ...(person === undefined ? {} : { person }) };
    if (digits === undefined) return this.#failed("type", who, `${person} has no PIN for ${lock}`);
    const wanted = opens === undefined ? undefined : opens ? "opened" : "denied";
    await this.#do(
      "type",
      who,
      "act/type",
      { lock, digits },
      ({ effect }) => wanted === undefined || effect === wanted,
    );
  }

  #program({ lock, pin, slot, refused }: Of<"program">): Promise<Answer | undefined> {
    const given = { lock, digits: pin, ...(slot === undefined ? {} : { slot }) };
    const wanted = refused ? "refused" : "done";
    return this.#do("program", { lock, slot }, "act/program", given, ({ effect }) => effect === wanted);
  }

  async #delete({ lock, person, slot }: Of<"delete">): Promise<void> {
    const held = slot ?? (await this.#slotOf(person, lock));
    if (held === undefined) return this.#failed("delete", { lock, person }, `${lock} holds no code of ${person}`);
    await this.#do("delete", { lock, slot: held }, "act/delete", { lock, slot: held });
  }

  async #restart(how: "stop" | "kill", away: number): Promise<void> {
    this.#stage.tell({ kind: "agent", words: how === "kill" ? "killed with -9" : "stopped", fields: { is: how } });
    await this.#stage.house.restart(how, away * 1_000);
    this.#stage.tell({ kind: "agent", words: "started again", fields: { is: "started" } });
  }

  /** Does something, and tells of it. @param isRight whether it went as it was to go: else it counts as missed. */
  async #do(
    step: string,
    told: object,
    command: string,
    parameters: object,
    isRight: (answer: Answer) => boolean = ({ ok }) => ok,
  ): Promise<Answer | undefined> {
    const answer = await this.#stage.house.ask(command, parameters);
    if (answer && isRight(answer)) {
      this.#stage.tell(stepTold(step, told, answer));
    } else {
      const why = answer?.error?.message ?? (answer ? (answer.effect ?? "it was done") : "nobody answers");
      this.#failed(step, told, why);
    }
    return answer;
  }

  #failed(step: string, told: object, why: string): void {
    this.#missed += 1;
    this.#stage.tell({
      kind: "step",
      words: `${stepWords(step, told)}: NOT AS IT WAS TO BE: ${why}`,
      fields: { step, ...told, failed: why },
    });
  }

  async #slotOf(person: string | undefined, lock: string): Promise<string | undefined> {
    const inside = looked.safeParse(await this.#stage.house.ask("simulate/look", { lock })).data;
    return inside?.slots.find(({ label }) => label === person)?.slot;
  }

  async #pinOf(person: string, lock: string): Promise<string | undefined> {
    const answer = await this.#stage.house.ask("credentials/get", { user_identity_id: person, device_id: lock });
    const all = credentials.safeParse(answer).data?.credentials ?? [];
    return all.flatMap(({ kind, code }) => (kind === "pin" && typeof code === "string" ? [code] : [])).at(0);
  }
}

const looked = z.object({ slots: z.array(z.looseObject({ slot: z.string(), label: z.string() })) });
const credentials = z.object({ credentials: z.array(z.looseObject({ kind: z.string(), code: z.unknown() })) });

const pairOf = ({ person, lock }: { readonly person: string; readonly lock: string }): object => ({
  user_identity_id: person,
  device_id: lock,
});

const stepWords = (step: string, told: object): string =>
  [step, ...Object.values(told).flatMap((value) => (value === undefined ? [] : [textOf(value)]))].join(" ");
const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function stepTold(step: string, told: object, { effect, error }: Answer): Told {
  const end = effect ?? error?.type;
  return {
    kind: "step",
    words: [stepWords(step, told), ...(end === undefined || end === "done" ? [] : [`→ ${end}`])].join(" "),
    fields: { step, ...told, ...(end === undefined ? {} : { effect: end }) },
  };
}

function expectedTold({ person, lock, ...expected }: Expectation, found: Found, held: boolean): Told {
  const about = [person, lock].filter((name) => name !== undefined).join(" ");
  const wanted = Object.entries(expected).filter(([, value]) => value !== undefined);
  const text = wanted.map(([name, value]) => `${name} ${textOf(value)}`).join(", ");
  const is = wanted.map(([name]) => `${name} ${textOf(found[name] ?? "none")}`).join(", ");
  return {
    kind: "expected",
    words: `${about}: ${text}${held ? ": so it is" : `: NOT SO: ${is}`}`,
    fields: { held, person, lock, ...expected, ...(held ? {} : { found }) },
  };
}
