import { setTimeout as sleep } from "node:timers/promises";
import { BatteryCCReport, type CommandClass, TimeCCDateGet, TimeCCTimeGet } from "@zwave-js/cc";
import { createMockZWaveAckFrame, type MockController, MockNode, type MockNodeResponse } from "@zwave-js/testing";
import { z } from "zod";
import { createDefaultMockNodeBehaviors } from "zwave-js/Testing";
import { instant, type Milliseconds } from "../agent/domain/instant.ts";
import type { Fate, Faults } from "./faults.ts";
import type { Chip } from "./lock.ts";
import type { Remembered } from "./memory-file.ts";
import { type Sight, Witness } from "./witness.ts";
import { answer, events, notificationOf, say, shadow, unlockOf, type ZwaveMode } from "./zwave-answers.ts";
import { type Place, ZwaveBolt } from "./zwave-bolt.ts";
import { ZwaveClock } from "./zwave-clock.ts";
import { type SlotCommand, slotCommandOf } from "./zwave-command.ts";
import { ZwaveMemory } from "./zwave-memory.ts";
import { capabilitiesOf, type ZwaveModel } from "./zwave-models.ts";
import { ZwaveWindows } from "./zwave-windows.ts";

export interface ZwaveLockParts {
  readonly id: number;
  readonly model: ZwaveModel;
  /** What is left of it from an earlier time. */
  readonly remembered: Remembered | undefined;
  /** What becomes of what is sent to it. */
  readonly faults: Faults;
  /** Something was asked of a slot, and what becomes of it. */
  asked(what: SlotCommand["what"], slot: string, becomes: Fate["becomes"]): void;
  see(sight: Sight): void;
  remember(what: Remembered): void;
}

/** How long a controller tries to reach a lock before it gives up; real ones take seconds. */
const patience: Milliseconds = 150;

/** One lock on the air: a mock node of zwave-js's own, with manners, faults, and a memory that outlives its controller. */
export class ZwaveLock {
  readonly id: number;
  readonly model: ZwaveModel;
  readonly memory: ZwaveMemory;
  readonly windows: ZwaveWindows;
  readonly clock = new ZwaveClock();
  readonly bolt: ZwaveBolt;
  mode: ZwaveMode = "ok";
  #modeAtWrite: ZwaveMode | undefined;
  battery = 80;
  readonly #parts: ZwaveLockParts;
  readonly #witness: Witness;
  #chip: Chip;
  #node: MockNode | undefined;
  /** What the host waits to hear of. */
  #waiting: SlotCommand | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ZwaveLockParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.model = parts.model;
    this.memory = new ZwaveMemory(parts.model);
    this.windows = new ZwaveWindows(this.memory.state, parts.model === "timed-2");
    const { users, windows, clock } = remembered.parse(parts.remembered?.options ?? {});
    for (const user of users) this.memory.putUser(user);
    for (const [slot, { value, disabled }] of Object.entries(parts.remembered?.chip.entries ?? {}))
      this.memory.put(Number(slot), value, !disabled);
    this.windows.restore(windows);
    this.clock.restore(clock);
    this.#chip = this.memory.chip(parts.remembered?.chip);
    this.bolt = new ZwaveBolt(this.#chip.unlocked ? "unlocked" : "locked", (to) => void this.#moved(to));
    this.#witness = new Witness(String(this.id), (sight) => parts.see(sight), parts.remembered?.unanswered);
  }

  /** How it is from now on; or from the moment at which the next code is written to it, with that one. */
  change(mode: ZwaveMode, at?: "write"): void {
    if (at === undefined) this.mode = mode;
    this.#modeAtWrite = at && mode;
  }

  /** What becomes of what is sent to it. */
  get faults(): Faults {
    return this.#parts.faults;
  }

  /** Comes within reach of a controller: of the new one, where the host is another. */
  async join(controller: MockController): Promise<void> {
    const node = await MockNode.create({ id: this.id, controller, capabilities: capabilitiesOf(this.model) });
    Object.assign(node, { state: this.memory.state });
    // Whether its radio acknowledges depends on what becomes of the command.
    node.autoAckControllerFrames = false;
    node.defineBehavior(...createDefaultMockNodeBehaviors());
    node.defineBehavior({
      handleCC: (by, self, cc) => {
        // What comes first is done first, however long it takes.
        const mine = this.#last.then(() => this.#receive(by, self, cc));
        this.#last = mine.catch(() => undefined);
        return mine;
      },
    });
    controller.addNode(node);
    this.#node = node;
    this.#waiting = undefined;
  }

  /** The host has got something that is of this lock: the word that its radio acknowledged, or a report of its own. */
  delivered(what: "acknowledgement" | "report"): void {
    const waiting = this.#waiting;
    if (!waiting || waiting.reported !== (what === "report")) return;
    this.#witness.answered(waiting.slot);
    this.#waiting = undefined;
    if (waiting.what !== "read") this.#remember();
  }

  /** Tells its host of an event of the type "Access Control". */
  async notify(event: number, user?: number): Promise<void> {
    await this.#say((host) => notificationOf(host, event, user));
  }

  async discharge(level: number): Promise<void> {
    this.battery = level;
    await this.#say((nodeId) => new BatteryCCReport({ nodeId, level }));
  }

  /** Someone types a PIN: the user whose it is, or undefined where the lock denies. */
  async type(digits: string): Promise<number | undefined> {
    const user = this.opens(digits, Date.now());
    if (user === undefined) return undefined;
    this.#put("unlocked");
    if (this.model === "user-credential") await this.#say((host) => unlockOf(host, user));
    else await this.notify(events.keypadUnlock, user);
    return user;
  }

  /** Whom it would open to at a moment, if nothing is done to it until then, nor to its clock. */
  opens(digits: string, at: number): number | undefined {
    const user = this.memory.find(digits);
    const isOpen = user !== undefined && this.memory.isOn(user) && this.windows.opens(user, this.clock.wall(at));
    return isOpen ? user : undefined;
  }

  /** Somebody turns its knob. */
  async turn(to: Place): Promise<void> {
    this.#put(to);
    await this.#say((host) => this.bolt.report(host));
    await this.notify(to === "locked" ? events.manualLock : events.manualUnlock);
  }

  /** It asks its host for the time, as some locks do. */
  async askTime(): Promise<void> {
    await this.#say((nodeId) => new TimeCCDateGet({ nodeId }));
    await this.#say((nodeId) => new TimeCCTimeGet({ nodeId }));
  }

  /** The owner puts a code into a slot at the keypad, or takes out what is there. */
  async program(slot: number, digits: string | undefined): Promise<void> {
    if (digits === undefined) this.memory.drop(slot);
    else this.memory.put(slot, digits);
    this.windows.wipe(slot);
    this.#look();
    await this.notify(digits === undefined ? events.deleted : events.added, slot);
  }

  /** As it was when it was new. */
  forget(): void {
    for (let user = 1; user <= mostUsers; user++) this.windows.wipe(user);
    this.memory.forget();
    this.change("ok");
    this.clock.restore(undefined);
    this.#put("locked");
    this.#look();
  }

  /** Its bolt has gone where it was told to from afar: locks tell so twice. */
  async #moved(to: Place): Promise<void> {
    this.#keepPlace();
    if (this.faults.strikes("tells_nothing", instant(Date.now()))) return;
    await this.#say((host) => this.bolt.report(host));
    await this.notify(to === "locked" ? events.remoteLock : events.remoteUnlock);
  }

  #put(place: Place): void {
    this.bolt.put(place);
    this.#keepPlace();
  }

  #keepPlace(): void {
    const { unlocked: _, ...chip } = this.#chip;
    this.#chip = this.bolt.place === "locked" ? chip : { ...chip, unlocked: true };
    this.#remember();
  }

  async #say(report: (host: number) => CommandClass): Promise<void> {
    const node = this.#node;
    if (node && this.mode !== "dead") await say(node, report(node.controller.ownNodeId));
  }

  async #receive(controller: MockController, node: MockNode, cc: CommandClass): Promise<MockNodeResponse> {
    const command = slotCommandOf(cc);
    const fate = this.#fate(command);
    const { delay, becomes, lateBy } = fate;
    if (command) this.#asked(command, becomes);
    // Where the radio's word is all that there is, it is that which gets lost.
    const isDeaf = this.mode === "dead" || becomes === "unheard";
    const isHeard = !isDeaf && (becomes === "answered" || command?.reported !== false);
    if (isHeard) {
      await node.ackControllerRequestFrame();
    } else {
      await sleep(patience);
      await node.sendToController(createMockZWaveAckFrame({ ack: false }));
    }
    if (isDeaf || this.mode === "ackonly") return { action: "stop" };
    await sleep(delay);
    if (becomes === "answered") return (await this.#answer(controller, node, cc, fate)) ?? { action: "stop" };
    const mute = shadow(node, { sendToController: async () => undefined });
    if (becomes === "late") setTimeout(() => void this.#answer(controller, mute, cc, fate), lateBy);
    else await this.#answer(controller, mute, cc, fate);
    return { action: "stop" };
  }

  #asked(command: SlotCommand, becomes: Fate["becomes"]): void {
    this.#parts.asked(command.what, command.slot, becomes);
    if (command.what === "write" || command.what === "clear") this.#witness.sent(command.what, command.slot);
    this.#waiting = becomes === "answered" && this.mode !== "dead" && this.mode !== "ackonly" ? command : undefined;
    this.#remember();
  }

  #fate(command: SlotCommand | undefined): Fate {
    if (command?.what === "write" && isCode(command)) this.change(this.#modeAtWrite ?? this.mode);
    const drawn = this.#parts.faults.next(command?.what ?? "meet", instant(Date.now()));
    // What the interview asks is answered: the faults are of the memory.
    if (this.mode === "ok") return command ? drawn : { ...drawn, becomes: "answered" };
    return { ...drawn, becomes: this.mode === "storenoreply" && command?.reported ? "lost" : "answered" };
  }

  async #answer(
    controller: MockController,
    node: MockNode,
    cc: CommandClass,
    { strikes }: Pick<Fate, "strikes">,
  ): Promise<MockNodeResponse | undefined> {
    const aboutBolt = this.bolt.answer(cc, controller.ownNodeId, { mode: this.mode, strikes });
    if (aboutBolt) return aboutBolt;
    const response = await answer(cc, controller, node, this);
    if (slotCommandOf(cc)) this.#look();
    return response;
  }

  /** Tells what has changed in the memory, and keeps it. */
  #look(): void {
    const before = this.#chip;
    this.#chip = this.memory.chip(before);
    // Kept before it is told: who hears of it may pull the plug.
    this.#remember();
    this.#witness.compare(before, this.#chip);
  }

  #remember(): void {
    const { users } = this.memory.held();
    const options = { users, windows: this.windows.kept(), clock: this.clock.kept() };
    this.#parts.remember({ chip: this.#chip, unanswered: [...this.#witness.unanswered], options });
  }
}

/** Of a code itself, and not of its user or a window. */
const isCode = ({ slot }: SlotCommand): boolean => !slot.includes(":");

const mostUsers = 0xff;
/** What it remembers besides its codes. */
const remembered = z.object({
  users: z.array(z.number()).default([]),
  windows: z.record(z.string(), z.unknown()).default({}),
  clock: z.unknown().optional(),
});
