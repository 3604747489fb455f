import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ZWaveNode } from "zwave-js";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import { type Host, type Link, LinkError, type LinkEvent, type LockDevice } from "../driver.ts";
import { keepPort, portToOpen, portToReopen } from "../shared/port.ts";
import { Turns } from "../shared/turns.ts";
import { untilAny } from "../shared/until-any.ts";
import { modifier, pinCode } from "./codec-user-credential.ts";
import { securityKeys } from "./keys.ts";
import type { Library } from "./library.ts";
import { ZwaveLock } from "./lock.ts";
import type { Options } from "./options.ts";
import type { Wire } from "./ready.ts";
import { Stack, type StackParts } from "./stack.ts";
import { answerTime } from "./time-answers.ts";

/** What is around a link, for tests to replace. */
export interface ZwaveSurroundings {
  readonly library: Library;
  /** Where serial devices are named by what they are. */
  readonly names: string;
  readonly leaveOut?: StackParts["leaveOut"];
}

/** How often it is looked whether the clock of a lock is to be looked at: soon after the clocks of its door were changed. */
const clockPause: Milliseconds = 60_000;
/** A stick that was pulled out is looked for this often; one that does not start is given more and more time. */
const firstPause: Milliseconds = 500;
const lastPause: Milliseconds = 30_000;

/** All locks of one Z-Wave network, behind one controller. */
export class ZwaveLink implements Link {
  /** There is one radio, and it sends one command after the other. */
  readonly atOnce = 1;
  readonly #options: Options;
  readonly #host: Host;
  readonly #around: ZwaveSurroundings;
  readonly #locks = new Map<string, ZwaveLock>();
  readonly #turns = new Turns();
  readonly #closing = new AbortController();
  #stack: Stack | undefined;
  #keeping: Promise<unknown> = Promise.resolve();
  #reported: Promise<void> = Promise.resolve();

  constructor(options: Options, host: Host, around: ZwaveSurroundings) {
    this.#options = options;
    this.#host = host;
    this.#around = around;
  }

  /** Rejects with {@link LinkError} where no controller answers. */
  async connect(): Promise<void> {
    const { port } = this.#options;
    const { state } = this.#host;
    const opened = portToOpen(port, this.#around.names, state);
    const stack = await this.#start(opened);
    keepPort(port, opened, state);
    this.#keeping = Promise.all([this.#keep(stack), this.#mindClocks()]);
  }

  lock(address: string): LockDevice {
    const known = this.#locks.get(address);
    if (known) return known;
    const lock = new ZwaveLock({
      address,
      host: this.#host,
      turns: this.#turns,
      closing: this.#closing.signal,
      wire: () => this.#wire(address),
      report: (event) => this.#report({ at: this.#host.clock.now(), address, ...event }),
    });
    this.#locks.set(address, lock);
    this.#look(address);
    return lock;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new LinkError("the link to the Z-Wave controller is closed", { sent: true }));
    await this.#stack?.[Symbol.asyncDispose]();
    await this.#keeping;
  }

  /** Stays with a controller for as long as it is there, and finds it again when it is back. */
  async #keep(first: Stack): Promise<void> {
    const closing = this.#closing.signal;
    for (let stack: Stack | undefined = first; stack && !closing.aborted; stack = await this.#again()) {
      this.#stack = stack;
      this.#follow(stack);
      await untilAny([stack.gone, closing], aborted);
      this.#stack = undefined;
      if (closing.aborted) return stack[Symbol.asyncDispose]();
      this.#host.log.warn({ port: this.#options.port }, "the Z-Wave controller is gone; waiting for it");
      for (const lock of this.#locks.values()) lock.tell("offline");
      await stack[Symbol.asyncDispose]();
    }
  }

  async #again(): Promise<Stack | undefined> {
    const closing = this.#closing.signal;
    const { clock, state, log } = this.#host;
    for (let pause = firstPause; !closing.aborted; ) {
      await clock.sleep(pause, closing).catch(() => undefined);
      const port = portToReopen(this.#options.port, state);
      if (closing.aborted || (!port.startsWith("tcp:") && !existsSync(port))) continue;
      try {
        const stack = await this.#start(port);
        log.info({ port }, "the Z-Wave controller is back");
        return stack;
      } catch (error) {
        if (pause === lastPause || closing.aborted) continue;
        const { message, hint } = error instanceof LinkError ? error : { message: String(error), hint: undefined };
        log.warn({ problem: message, hint }, "the Z-Wave controller does not start; trying again");
        pause = Math.min(pause * 2, lastPause);
      }
    }
    return undefined;
  }

  async #mindClocks(): Promise<void> {
    const closing = this.#closing.signal;
    const { clock } = this.#host;
    while (!closing.aborted) {
      await clock.sleep(clockPause, closing).catch(() => undefined);
      for (const lock of this.#locks.values()) await this.#mindClock(lock);
    }
  }

  async #mindClock(lock: ZwaveLock): Promise<void> {
    try {
      await lock.mindClock();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      // It is tried again; whoever writes a window to the lock meanwhile has its clock set first.
      this.#host.log.debug({ error }, "cannot look at the clock of a lock");
    }
  }

  #start(port: string): Promise<Stack> {
    const { library, leaveOut } = this.#around;
    const { state, log } = this.#host;
    return Stack.start(
      {
        library,
        port,
        keys: securityKeys(this.#options.security_keys_file, state),
        timeout: this.#options.timeout_ms,
        directory: join(state.directory, "zwave-js"),
        log,
        ...(leaveOut ? { leaveOut } : {}),
      },
      this.#closing.signal,
    );
  }

  #follow(stack: Stack): void {
    for (const node of stack.controller.nodes.values()) this.#listen(node);
    answerTime(this.#around.library, stack, (nodeId) => this.#locks.get(String(nodeId))?.wall);
    stack.controller.on("node added", (node) => this.#listen(node));
    stack.controller.on("node removed", (node) => this.#locks.get(String(node.id))?.tell("offline"));
  }

  #listen(node: ZWaveNode): void {
    const address = String(node.id);
    const lock = (): ZwaveLock | undefined => this.#locks.get(address);
    const look = (): void => this.#look(address);
    for (const event of ["ready", "alive", "dead", "wake up", "interview completed"] as const) node.on(event, look);
    node.on("interview completed", () => {
      const interviewed = lock();
      interviewed?.clockWasSet();
      if (interviewed) void this.#mindClock(interviewed);
    });
    node.on("notification", (...[, , said]) => {
      if ("type" in said) lock()?.notified(said);
    });
    node.on("value added", (_, value) => lock()?.reported(value));
    node.on("value updated", (_, value) => lock()?.reported(value));
    node.on("user modified", (_, { userId }) => lock()?.changed(userId, false));
    node.on("user deleted", (_, { userId }) => lock()?.changed(userId, false));
    const changed = (_: unknown, { credentialType: type, credentialSlot: slot }: Changed): void => {
      if (type === pinCode) lock()?.changed(slot, this.#isLocal(node, slot));
    };
    node.on("credential added", changed);
    node.on("credential modified", changed);
    node.on("credential deleted", changed);
    look();
  }

  /** Tells whether a lock can be reached, once that is known. */
  #look(address: string): void {
    const node = this.#stack?.node(Number(address));
    if (!node) return;
    const { NodeStatus } = this.#around.library;
    if (node.status === NodeStatus.Dead) this.#locks.get(address)?.tell("offline");
    else if (node.ready && this.#isInterviewed(node)) this.#locks.get(address)?.tell("online");
  }

  #isInterviewed(node: ZWaveNode): boolean {
    return node.interviewStage === this.#around.library.InterviewStage.Complete;
  }

  /** Whether the lock says that the PIN in a slot was put there at the lock itself. */
  #isLocal(node: ZWaveNode, slot: number): boolean {
    const by = node.getValue({
      commandClass: this.#around.library.CommandClasses["User Credential"],
      property: "credentialModifierType",
      propertyKey: (pinCode << 16) | slot,
    });
    return by === modifier.locally;
  }

  #wire(address: string): Wire {
    const stack = this.#stack;
    if (!stack || stack.gone.aborted) {
      throw new LinkError("the Z-Wave controller is gone", { sent: false, hint: "check that the stick is plugged in" });
    }
    // Any other way to write the number would be another lock to us, at the same node.
    const node = /^[1-9]\d*$/.test(address) ? stack.node(Number(address)) : undefined;
    if (!node) {
      throw new LinkError(`there is no node ${address} in the Z-Wave network`, {
        sent: false,
        hint: "give the lock's node id as address; a lock must be included in the network first",
      });
    }
    if (!this.#isInterviewed(node)) {
      throw new LinkError(`node ${address} has not been interviewed yet`, {
        sent: false,
        hint: "wait; it takes a minute at first, and longer where the lock sleeps: operate it to wake it up",
      });
    }
    return {
      library: this.#around.library,
      homeId: stack.controller.homeId ?? 0,
      node,
      send: stack.send,
      sendTimely: stack.sendTimely,
      gone: stack.gone,
    };
  }

  /** One after the other, so that they are committed in the order in which they happened. */
  #report(event: LinkEvent): void {
    this.#reported = this.#reported
      .then(() => this.#host.report(event))
      .catch((error: unknown) => this.#host.log.error({ error, event: event.event }, "cannot report what a lock told"));
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

interface Changed {
  readonly credentialType: number;
  readonly credentialSlot: number;
}
