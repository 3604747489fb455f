import { earliest, type Instant, instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import type { Command } from "./commands.ts";
import type { Received } from "./deframer.ts";
import { Dialogue } from "./dialogue.ts";
import { Distrust } from "./distrust.ts";
import { answerIn, gate, type Stage, type Verdict } from "./gate.ts";
import type { Step } from "./handshake.ts";
import type { Happening, Suspicion } from "./happening.ts";
import type { Key } from "./key.ts";
import { nak } from "./nak.ts";
import { Opening, type Outcome } from "./opening.ts";
import { offlineAfter, Pace } from "./pace.ts";
import type { Pending } from "./pending.ts";
import { decodeReply, type Reply } from "./replies.ts";
import { reportsOf } from "./reports.ts";
import { noCounts, type SessionCounts } from "./session-counts.ts";
import { defaultQuestions, greetingOf, type SessionOptions } from "./session-options.ts";
import { resultOf, type Wanted, WantedCommands } from "./wanted.ts";

/**
 * What is said with one reader, from the panel's side (reference 1.4 to 1.6, 2.4, 3). Pure: who drives it owns the line and
 * its times. When the reader has the turn, {@link turn} gives what is to be sent; then either {@link hear} gets the frame
 * that came, or {@link silence} is told that none did. What has happened is taken with {@link take} after each call.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #dialogue: Dialogue;
  readonly #opening: Opening;
  readonly #wanted: WantedCommands;
  readonly #pace = new Pace();
  readonly #distrust = new Distrust();
  readonly #counts = noCounts();
  readonly #happenings: Happening[] = [];
  #stage: Stage = "greeting";
  /** What is still to be said in this stage. */
  #script: readonly Step[] = [];
  #isReady = false;
  #isOnline = false;
  /** Whether a plain ACK to a poll was seen in this session: what came before may be from an earlier one (7.11). */
  #isFresh = false;
  #lastGood: Instant = instant(0);

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#dialogue = new Dialogue(options.address, options.check, options.overhears);
    this.#wanted = new WantedCommands(options.pollEvery);
    this.#opening = new Opening(options.keys);
    this.#greet();
  }

  /** It changes where the reader has done what COMSET told it. */
  get address(): number {
    return this.#dialogue.address;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Whether an output is to be moved: somebody stands at the door. */
  get isUrgent(): boolean {
    return this.#wanted.isUrgent;
  }

  /** Whether a reply is waited for. */
  get isAwaiting(): boolean {
    return this.#dialogue.pending !== undefined && this.#pace.again === undefined;
  }

  get counts(): SessionCounts {
    return { ...this.#counts };
  }

  /** What has happened since it was asked last. */
  take(): readonly Happening[] {
    return this.#happenings.splice(0);
  }

  /** Sent as soon as may be, if it is online. Its result is told once. */
  want(wanted: Wanted): void {
    this.#tell(this.#isOnline ? this.#wanted.add(wanted) : [resultOf(wanted, { result: "unsent" })]);
  }

  /**
   * Gives the reader a new key, under the one that it has. The caller keeps the new one beside the old when `key_sent` says
   * so, and both until `key_proven` says which of them the reader has.
   */
  rotate(key: Key): void {
    this.#opening.rotate(key);
  }

  /**
   * Gives a key to a reader in its install mode, under the key that everybody knows: a deliberate act, which ends in time,
   * and is best done where nobody listens. The key is kept as in {@link rotate}.
   */
  pair(key: Key, until: Instant, now: Instant): void {
    this.#pace.up();
    this.#carryOut(this.#opening.pair(key, until), now);
  }

  /** Ends all; the keys are wiped. */
  close(now: Instant): void {
    this.#tell([...this.#wanted.lost(now, false), ...this.#wanted.clear()]);
    this.#dialogue.begin();
    this.#opening.wipe();
  }

  /** When it wants the turn next; undefined: it waits for a reply. */
  due(now: Instant): Instant | undefined {
    if (this.#dialogue.pending) return this.#pace.again && earliest([this.#pace.again, this.#wanted.deadline]);
    if (this.#pace.notBefore > now) return this.#pace.notBefore;
    return !this.#isReady || this.#opening.isKeyDue ? now : this.#wanted.due(now);
  }

  /** What to send now, mark and frame; undefined: nothing is due. */
  turn(now: Instant): Uint8Array | undefined {
    this.tick(now);
    const { pending } = this.#dialogue;
    if (!pending) return this.#next(now);
    if (this.#pace.again === undefined || this.#pace.again > now) return undefined;
    this.#pace.again = undefined;
    this.#counts.repeats += 1;
    return this.#dialogue.again(pending);
  }

  /** Looks at the time: what is too late, and whether the reader is offline. */
  tick(now: Instant): void {
    this.#tell(this.#wanted.late(now));
    // No other command can have the number of one that is not repeated.
    if (!this.isAwaiting && this.#wanted.isLate(now)) this.#restart(now, 0);
    this.#carryOut(this.#opening.tick(now, this.#isReady), now);
    // Where the clock was set back, nothing tells how long it has been silent.
    if (this.#isOnline && (now - this.#lastGood >= offlineAfter || now < this.#lastGood)) this.#goOffline(now);
  }

  /** A frame came, asked for or not. @returns whether the exchange is over; else its reply is waited for as before. */
  hear(received: Received, now: Instant): boolean {
    const { pending } = this.#dialogue;
    const whose = this.#dialogue.whose(received);
    // Some adapters give back what was sent.
    if (whose === "echo") return false;
    if (whose === "command") this.#tell(this.#distrust.foreign(now));
    const isAnswer = whose === "reply" && this.isAwaiting;
    const verdict = isAnswer && pending ? gate(this.#stage, answerIn(received), pending) : "late";
    if (verdict === "late" || !pending) {
      this.#counts[whose === "reply" ? "late" : "foreign"] += 1;
      return false;
    }
    this.#judged(verdict, received, pending, now);
    return true;
  }

  /** No reply came in time, or none that was whole. */
  silence(now: Instant): void {
    if (!this.isAwaiting) return;
    this.#counts.silences += 1;
    this.#repeat(now);
  }

  #judged(verdict: Exclude<Verdict, "late">, received: Received, pending: Pending, now: Instant): void {
    switch (verdict) {
      case "believed":
        return this.#open(received, pending, now);
      case "busy":
        this.#counts.busy += 1;
        if (!this.#pace.busy(now)) this.#restart(now, this.#pace.pause());
        return undefined;
      case "repeat":
        this.#counts.naks += 1;
        return this.#repeat(now);
      case "restart":
        return this.#restart(now, this.#pace.pause(), "said");
      case "gone":
        return this.#shake(now, this.#pace.pause(), "said");
      case "refused":
        return this.#carryOut(this.#opening.refused(), now);
      case "dropped":
        this.#tell([this.#distrust.suspect("clear")]);
        this.#counts.dropped += 1;
        return this.#settle();
      case "breach":
        return this.#breach(now, received.frame.security ? "layout" : "clear");
    }
  }

  #repeat(now: Instant): void {
    if (!this.#pace.missed(now, this.#isOnline && this.#isReady)) this.#restart(now, this.#pace.pause());
  }

  #open(received: Received, pending: Pending, now: Instant): void {
    const data = this.#dialogue.open(received);
    if (typeof data === "string") return this.#breach(now, data);
    // Whatever comes of it, the exchange has succeeded; what is begun anew counts from 0.
    this.#settle();
    const reply = decodeReply(received.frame.code, data);
    if (!reply) this.#counts.malformed += 1;
    switch (this.#stage) {
      case "greeting":
        return undefined;
      case "challenged":
        return this.#carryOut(this.#opening.challenged(reply, received.frame.security?.data[0]), now);
      case "proving":
        return this.#carryOut(this.#opening.proven(reply), now);
      case "clear":
      case "channel":
        return this.#answered(reply, pending, now);
    }
  }

  /** What counts: said in the channel, or in clear where a site wants it so. */
  #answered(reply: Reply | undefined, { command, protection }: Pending, now: Instant): void {
    this.#lastGood = now;
    if (reply?.reply === "NAK" && this.#isOver(reply.error, now)) return;
    this.#tell(this.#wanted.answered(reply, now));
    if (command.command === "KEYSET") return this.#carryOut(this.#opening.keyAnswered(reply), now);
    // Under the key that everybody knows nothing else is believed.
    if (protection === "default_key") return;
    if (command.command === "POLL" && reply?.reply === "ACK") this.#isFresh = true;
    if (command.command === "COMSET" && reply?.reply === "COM") this.#dialogue.address = reply.address;
    this.#tell(reply ? reportsOf(reply, command, !this.#isFresh) : []);
  }

  /** Whether a NAK is about the session, and not about one command: no command that it does not know takes a reader offline. */
  #isOver(error: number, now: Instant): boolean {
    this.#counts.naks += 1;
    const isAboutChannel = error === nak.securityBlock || error === nak.securityConditions;
    if (isAboutChannel && this.#stage === "clear") this.#breach(now, "wants_channel");
    else if (isAboutChannel || error === nak.unexpectedSequence) this.#restart(now, this.#pace.pause(), "said");
    else return false;
    return true;
  }

  #next(now: Instant): Uint8Array | undefined {
    if (this.#pace.notBefore > now) return undefined;
    const [step, ...rest] = this.#script;
    this.#script = rest;
    if (step) return this.#send(step);
    const first = this.#first();
    if (!first) return this.#order(now);
    this.#carryOut(first, now);
    return this.#next(now);
  }

  /** What comes before all orders: a channel, and in it a key that is due. */
  #first(): Outcome | undefined {
    switch (this.#stage) {
      case "clear":
        return undefined;
      case "channel":
        return this.#opening.keySet();
      case "greeting":
      case "challenged":
      case "proving":
        if (this.#options.challengeAtZero === true) this.#dialogue.begin();
        return this.#opening.challenge(this.#options.random(8));
    }
  }

  #send({ command, security }: Step): Uint8Array {
    this.#counts.commands += 1;
    return this.#dialogue.send(command, security);
  }

  #order(now: Instant): Uint8Array | undefined {
    if (!this.#isReady) this.#becomeReady(now);
    const command = this.#wanted.next(now);
    return command && this.#send({ command });
  }

  #becomeReady(now: Instant): void {
    this.#isReady = true;
    this.#pace.up();
    this.#distrust.calm();
    this.#lastGood = now;
    if (!this.#isOnline) this.#tell([{ happening: "online" }]);
    this.#isOnline = true;
  }

  /** What the opening of the channel wants: the only place where that is done. */
  #carryOut(outcome: Outcome, now: Instant): void {
    this.#tell(outcome.tell ?? []);
    switch (outcome.do) {
      case "go_on":
        return undefined;
      case "say":
        this.#stage = outcome.stage;
        this.#script = [outcome.step];
        return undefined;
      case "enter":
        this.#dialogue.enter(outcome.keys, outcome.mac, outcome.protection);
        this.#counts.channels += 1;
        this.#stage = "channel";
        this.#script = outcome.protection === "own_key" ? scriptOf(this.#options.questions ?? defaultQuestions) : [];
        return undefined;
      case "restart":
        return this.#restart(now, outcome.wait);
      case "shake":
        return this.#shake(now, outcome.wait);
      case "breach":
        return this.#breach(now, outcome.why);
    }
  }

  #breach(now: Instant, why: Suspicion): void {
    this.#counts.breaches += 1;
    const { suspect, wait } = this.#distrust.breach(why, now);
    this.#tell([suspect]);
    this.#restart(now, wait);
  }

  #goOffline(now: Instant): void {
    this.#isOnline = false;
    // A session that is being begun waits no longer for that; and who is not trusted, no less.
    this.#restart(now, this.#isReady ? this.#pace.pause() : Math.max(this.#pace.notBefore - now, 0));
    this.#tell([{ happening: "offline" }, ...this.#wanted.clear()]);
  }

  /** From the start: who is there, then the channel. */
  #restart(now: Instant, wait: Milliseconds, end?: "said"): void {
    this.#shake(now, wait, end);
    this.#greet();
  }

  #greet(): void {
    this.#stage = this.#options.security === "clear" ? "clear" : "greeting";
    this.#script = scriptOf(greetingOf(this.#options, this.#pace.failures % 2 === 1 && !this.#isOnline));
  }

  /** A new handshake, as the reader is known to be there. `said`: it has answered that it knows nothing of the session. */
  #shake(now: Instant, wait: Milliseconds, end?: "said"): void {
    this.#tell(this.#wanted.lost(now, end === "said" && !this.#dialogue.isRepeated));
    this.#counts.restarts += 1;
    this.#dialogue.begin();
    this.#opening.drop();
    this.#stage = "greeting";
    this.#script = [];
    this.#pace.begin(later(now, wait));
    this.#isReady = false;
    this.#isFresh = false;
  }

  #settle(): void {
    this.#dialogue.settle();
    this.#pace.answered();
  }

  #tell(happenings: readonly Happening[]): void {
    this.#happenings.push(...happenings);
  }
}

const scriptOf = (commands: readonly Command[]): readonly Step[] => commands.map((command) => ({ command }));
