import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../agent/package.ts";
import type { DoorAct } from "../../simulator/zigbee2mqtt-device.ts";
import type { Mood, Place } from "../drivers/conformance-bolt.ts";
import { skipReason } from "../support/peers.ts";

const root = join(packageRoot(), "test/interop");
const program = join(root, "node_modules/zigbee2mqtt/index.js");

export const hasZigbee2mqtt = (): boolean => existsSync(program);

/** Why the tests over the real program are left out, if they are. */
export const zigbee2mqttSkipReason = (): string | undefined =>
  skipReason("zigbee2mqtt", hasZigbee2mqtt(), "npm ci --prefix test/interop");

export const ieee = "0x000d6f0011223344";
export const friendlyName = "front_door";

export interface RealOptions {
  readonly brokerUrl: string;
  readonly baseTopic: string;
  /** The cluster with which a lock that sleeps asks for what it missed: zigbee2mqtt then queues what it cannot send. */
  readonly pollControl: boolean;
  /** Milliseconds that a command and its answer are in the air; none if left out. */
  readonly air?: number;
  /** More of its `configuration.yaml`, as JSON, which is YAML. */
  readonly advanced?: Readonly<Record<string, unknown>>;
  readonly device?: Readonly<Record<string, unknown>>;
  readonly mqtt?: Readonly<Record<string, unknown>>;
}

/** What can be done to the lock behind the radio: see `fake-radio.cjs`. */
export type RadioAct =
  | DoorAct
  | { readonly act: "forget" | "look" }
  | { readonly act: "mood"; readonly mood: Mood | "ok" }
  | { readonly act: "die"; readonly at: "setPinCode" }
  | { readonly act: "silence"; readonly attribute: number };

/** What the radio tells after an act. */
interface Told {
  readonly id: number;
  readonly users: readonly (readonly [number, string])[];
  readonly bolt: number;
  readonly boltCommands: number;
}

/** A zigbee2mqtt process with one paired lock, whose radio is replaced. */
export class RealZigbee2mqtt implements AsyncDisposable {
  readonly #data = mkdtempSync(join(tmpdir(), "latchd-zigbee2mqtt-"));
  readonly #air: number;
  #process: ChildProcess | undefined;
  #radio: Promise<unknown> | undefined;
  #acts = 0;

  constructor(options: RealOptions) {
    this.#air = options.air ?? 0;
    writeFileSync(join(this.#data, "configuration.yaml"), JSON.stringify(configuration(options), null, 2));
    writeFileSync(join(this.#data, "database.db"), database(options.pollControl));
  }

  /** Its start-up is not over when this returns: wait for its messages, or for {@link running}. */
  start(): void {
    this.#process = spawn(process.execPath, ["-r", join(root, "fake-radio.cjs"), program], {
      // It asks git for the commit that it was built from, and in our work tree it would find ours, and want to build.
      env: {
        ...process.env,
        ZIGBEE2MQTT_DATA: this.#data,
        INTEROP_ROOT: root,
        Z2M_ONBOARD_NO_SERVER: "1",
        GIT_DIR: this.#data,
        FAKE_RADIO_AIR_MS: String(this.#air),
      },
      cwd: this.#data,
      stdio: ["ignore", process.env["INTEROP_OUTPUT"] === "1" ? "inherit" : "ignore", "inherit", "ipc"],
    });
    this.#radio = once(this.#process, "message");
  }

  /** Resolves when its radio is there to act on; starts it if it was stopped. */
  async running(): Promise<void> {
    if (!this.#process) this.start();
    await this.#radio;
  }

  /** Ends it: `SIGINT` as an operator does, `SIGKILL` as a power cut does. */
  async stop(signal: "SIGINT" | "SIGKILL" = "SIGINT"): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = undefined;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  /** @returns the PINs in the lock, by user. */
  async act(what: RadioAct): Promise<ReadonlyMap<number, string>> {
    return new Map((await this.#act(what)).users);
  }

  /** Where the lock's bolt is, and how often it was told to move. */
  async bolt(): Promise<{ readonly place: Place; readonly commands: number }> {
    const { bolt, boltCommands: commands } = await this.#act({ act: "look" });
    return { place: bolt === 1 ? "locked" : "unlocked", commands };
  }

  async #act(what: RadioAct): Promise<Told> {
    const child = this.#process;
    if (!child) throw new Error("zigbee2mqtt is not running");
    const id = ++this.#acts;
    const answered = new Promise<Told>((resolve) => {
      const listener = (message: unknown): void => {
        const told = message as Told;
        if (told.id !== id) return;
        child.off("message", listener);
        resolve(told);
      };
      child.on("message", listener);
    });
    child.send({ id, ...what });
    return answered;
  }

  /** What it keeps on disk about the state of its devices. */
  stateFile(): string {
    const file = join(this.#data, "state.json");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#data, { recursive: true, force: true });
  }
}

const configuration = ({ brokerUrl, baseTopic, advanced = {}, device = {}, mqtt = {} }: RealOptions): object => ({
  version: 5,
  homeassistant: { enabled: false },
  frontend: { enabled: false },
  availability: { enabled: true },
  mqtt: { base_topic: baseTopic, server: brokerUrl, ...mqtt },
  serial: { port: "/dev/null", adapter: "zstack" },
  advanced: {
    network_key: [1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13],
    pan_id: 6754,
    ext_pan_id: Array.from({ length: 8 }, () => 221),
    channel: 11,
    log_output: ["console"],
    ...advanced,
  },
  devices: { [ieee]: { friendly_name: friendlyName, ...device } },
});

/** Its own file format: one JSON object a line. */
const database = (pollControl: boolean): string => {
  const coordinator = {
    id: 1,
    type: "Coordinator",
    ieeeAddr: "0x00124b00deadbeef",
    nwkAddr: 0,
    manufId: 0,
    epList: [1],
    endpoints: { 1: endpoint(5, [], []) },
    interviewCompleted: true,
    interviewState: "SUCCESSFUL",
    meta: {},
    lastSeen: null,
  };
  const lock = {
    ...coordinator,
    id: 2,
    type: "EndDevice",
    ieeeAddr: ieee,
    nwkAddr: 0x1234,
    manufId: 4129,
    manufName: "Yale",
    powerSource: "Battery",
    modelId: "YRD256 TSDB",
    endpoints: { 1: endpoint(10, [0, 1, 3, 9, 10, ...(pollControl ? [32] : []), 257], [10, 25]) },
    appVersion: 1,
    stackVersion: 2,
    hwVersion: 1,
    zclVersion: 1,
    meta: { configured: 1 },
  };
  return `${JSON.stringify(coordinator)}\n${JSON.stringify(lock)}\n`;
};

const endpoint = (deviceId: number, inClusterList: number[], outClusterList: number[]): object => ({
  profId: 260,
  epId: 1,
  devId: deviceId,
  inClusterList,
  outClusterList,
  clusters: {},
  binds: [],
  configuredReportings: [],
  meta: {},
});
