import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LinkError } from "../../../drivers/driver.ts";
import { keepPort, portToOpen, portToReopen } from "../../../drivers/shared/port.ts";
import { isHarmless } from "../../../drivers/zwave/codec-cache.ts";
import { failureOf } from "../../../drivers/zwave/codec-failure.ts";
import { securityKeys } from "../../../drivers/zwave/keys.ts";
import { loadLibrary } from "../../../drivers/zwave/library.ts";
import { limitsOf } from "../../../drivers/zwave/limits.ts";
import { options } from "../../../drivers/zwave/options.ts";
import { Users } from "../../../drivers/zwave/users.ts";
import { hurriedClock, RecordingHost } from "../../support/host.ts";
import { rejection } from "../bench.ts";

let host: RecordingHost;
let folder: string;
beforeEach(() => {
  host = new RecordingHost(hurriedClock(1));
  folder = mkdtempSync(join(tmpdir(), "latchd-zwave-parts-"));
});
afterEach(() => {
  host[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

describe("securityKeys()", () => {
  const hex = "0102030405060708090a0b0c0d0e0f10";

  test("are read from the file once, and sealed from then on", () => {
    const file = join(folder, "keys.json");
    writeFileSync(file, JSON.stringify({ S0_Legacy: hex, long_range: { S2_AccessControl: hex } }));
    const keys = securityKeys(file, host.state);
    expect(keys).toEqual({ S0_Legacy: hex, long_range: { S2_AccessControl: hex } });
    rmSync(file);
    expect(securityKeys(file, host.state)).toEqual(keys);
    // A link that names no file any more has no keys, and keeps none.
    expect(securityKeys(undefined, host.state)).toEqual({});
    expect(() => securityKeys(file, host.state)).toThrow(/is not there/);
  });

  test("of a file that holds something else are an error that does not quote it", () => {
    const file = join(folder, "keys.json");
    for (const text of ["", "{", JSON.stringify({ S0_Legacy: `${hex}ff` }), JSON.stringify({ S0: hex })]) {
      writeFileSync(file, text);
      expect(() => securityKeys(file, host.state)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining(hex) }),
      );
      expect(() => securityKeys(file, host.state)).toThrow(LinkError);
    }
  });
});

describe("portToOpen()", () => {
  test("is the name that stays with a device, also when it is plugged in elsewhere, and over our own end", () => {
    const names = join(folder, "by-id");
    mkdirSync(names);
    for (const device of ["ttyACM0", "ttyACM1"]) writeFileSync(join(folder, device), "");
    const alias = join(names, "usb-stick");
    symlinkSync(join(folder, "ttyACM0"), alias);
    const configured = join(folder, "ttyACM0");
    expect(portToReopen(configured, host.state)).toBe(configured);
    expect(portToOpen(configured, names, host.state)).toBe(alias);
    keepPort(configured, alias, host.state);
    rmSync(alias);
    // Pulled out: what has its old number now is another device.
    expect(portToReopen(configured, host.state)).toBe(alias);
    symlinkSync(join(folder, "ttyACM1"), alias);
    expect(portToOpen(configured, names, host.state)).toBe(alias);
    // Another device in the configuration has a name of its own.
    expect(portToReopen(join(folder, "ttyACM1"), host.state)).toBe(join(folder, "ttyACM1"));
  });

  test("is not the name of a stick that was found there and is no Z-Wave controller", () => {
    const names = join(folder, "by-id");
    mkdirSync(names);
    for (const device of ["modem", "stick"]) writeFileSync(join(folder, device), "");
    for (const device of ["modem", "stick"]) symlinkSync(join(folder, device), join(names, `usb-${device}`));
    const configured = join(folder, "ttyACM0");
    symlinkSync(join(folder, "modem"), configured);
    expect(portToOpen(configured, names, host.state)).toBe(join(names, "usb-modem"));
    rmSync(configured);
    symlinkSync(join(folder, "stick"), configured);
    expect(portToOpen(configured, names, host.state)).toBe(join(names, "usb-stick"));
  });

  test("is the path itself where there are no such names, and a serial bridge's address", () => {
    const device = join(folder, "tty");
    expect(portToOpen(device, join(folder, "none"), host.state)).toBe(device);
    expect(portToOpen("tcp://127.0.0.1:5555", folder, host.state)).toBe("tcp://127.0.0.1:5555");
  });
});

test("options() take a device or a serial bridge", () => {
  for (const port of ["/dev/ttyACM0", "/dev/serial/by-id/usb-x", "tcp://10.0.0.7:5555"]) {
    expect(options.safeParse({ port }).success).toBe(true);
  }
  for (const port of ["ttyACM0", "tcp://10.0.0.7", "http://10.0.0.7:80", "tcp://10.0.0.7:65536", ""]) {
    expect(options.safeParse({ port }).success).toBe(false);
  }
});

test("loadLibrary() without zwave-js says which command installs it, in the version that is tested", async () => {
  const missing = await rejection(loadLibrary(() => Promise.reject(new Error("Cannot find package 'zwave-js'"))));
  const { peerDependencies } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  expect(missing).toMatchObject({
    name: "LinkError",
    sent: false,
    hint: `npm install --no-save zwave-js@${peerDependencies["zwave-js"]} installs it`,
  });
});

test.each([
  [{ code: 204 }, { sent: true }],
  [{ code: 202 }, { sent: true }],
  [{ code: 203 }, { sent: false }],
  [{ code: 103 }, { sent: false }],
  [{ code: 322 }, { refused: { result: "refused", reason: "invalid" } }],
  [{ code: 9999 }, { sent: true }],
  [new Error("anything"), { sent: true }],
])("failureOf(%j) is %j", (error, failure) => {
  expect(failureOf(error)).toMatchObject(failure);
});

const key = (commandClass: number, property: string, propertyKey?: number): string =>
  JSON.stringify({ nodeId: 2, commandClass, endpoint: 0, property, propertyKey });

test("isHarmless() lets no code, no checksum of codes and no key on the disk", () => {
  const secret = [
    key(0x63, "userCode", 5),
    key(0x63, "adminCode"),
    key(0x63, "userCodeChecksum"),
    key(0x83, "credential", 65_541),
    key(0x83, "adminPinCode"),
    key(0x83, "allUsersChecksum"),
    key(0x4c, "record", 1),
    key(0x6f, "eventData"),
    "controller.privateKey",
    "controller.securityKeys.S2_AccessControl",
    "{not json",
  ];
  const harmless = [
    key(0x63, "supportedUsers"),
    key(0x63, "supportedASCIIChars"),
    key(0x63, "_supportsAdminCode"),
    key(0x63, "interviewComplete"),
    key(0x83, "supportedUsers"),
    key(0x83, "credentialCapabilities", 1),
    key(0x80, "level"),
    "node.2.interviewStage",
    "node.2.dsk",
  ];
  expect(secret.filter(isHarmless)).toEqual([]);
  expect(harmless.filter((each) => !isHarmless(each))).toEqual([]);
});

test("limitsOf() are what the lock says, of digits only", () => {
  const capacity = {
    slots: 3,
    shortest: 4,
    longest: 6,
    characters: "0123456789ABC",
    saysCodes: false,
    windows: "none",
    suspends: false,
    onBattery: true,
  } as const;
  const limits = limitsOf(capacity);
  expect(limits.kinds.get("pin")).toEqual({
    slots: ["1", "2", "3"],
    lengths: [4, 5, 6],
    alphabet: "0123456789",
    rules: [],
  });
  expect(limits).toMatchObject({ readBack: "masked", cost: { read: "battery" }, settles: 120_000 });
  expect(limits).not.toHaveProperty("suspends");
  expect(limitsOf({ ...capacity, suspends: true })).toMatchObject({ suspends: true });
  expect(limitsOf({ ...capacity, characters: "12345" }).kinds.get("pin")?.alphabet).toBe("12345");
});

test("Users remember whom we added, and who may be left over, beyond our end", () => {
  const users = new Users("dsk-4", host.state);
  users.begin(5);
  users.begin(6);
  users.complete(5);
  const later = new Users("dsk-4", host.state);
  expect([later.isOurs(5), later.isOurs(6), later.isOurs(7)]).toEqual([true, true, false]);
  expect(later.begun).toEqual([6]);
  later.end(6);
  expect(new Users("dsk-4", host.state).begun).toEqual([]);
  expect(new Users("dsk-4", host.state).isOurs(6)).toBe(false);
  expect(new Users("dsk-5", host.state).isOurs(5)).toBe(false);
});
