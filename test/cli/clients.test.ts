import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { faultNames } from "../../simulator/fault.ts";
import { Desk, devices, frontDoor, person, receipt } from "./desk.ts";

const ok = { ok: true };
const pair = { user_identity_id: person, device_id: frontDoor };
const grantCommand = "user_identities/grant_access_to_device";
const revokeCommand = "user_identities/revoke_access_to_device";

test("grant waits until the access is live, and says on what evidence", async () => {
  await using desk = await Desk.open({
    "devices/list": devices,
    [grantCommand]: ok,
    "access/list": [receipt("waiting"), receipt("writing"), receipt("live", { evidence: "read_back" })],
  });
  const { exit, out, err } = await desk.call("grant", person, "front DOOR");
  expect({ exit, err }).toEqual({ exit: 0, err: "" });
  expect(out).toBe(
    `Access to Front door is live: read back from the lock.\nThe code: npx latchd code ${person} 'Front door'\n`,
  );
  expect(desk.asked).toEqual([
    ["devices/list", {}],
    [grantCommand, pair],
    ["access/list", pair],
    ["access/list", pair],
    ["access/list", pair],
  ]);
});

test("grant does not wait for ever, and says what is in the way", async () => {
  await using desk = await Desk.open({
    "devices/list": devices,
    [grantCommand]: ok,
    "access/list": receipt("waiting", { reason: "lock_offline", hint: "wake the lock" }),
  });
  const { exit, out } = await desk.call("grant", person, frontDoor);
  expect(exit).toBe(0);
  expect(out).toBe(
    "Accepted, and not live yet (waiting: lock_offline, wake the lock). latchd goes on trying by itself.\n",
  );
  expect(desk.asked.length).toBeLessThan(60);
});

test("grant fails where the lock refuses", async () => {
  await using desk = await Desk.open({
    "devices/list": devices,
    [grantCommand]: ok,
    "access/list": receipt("refused", { reason: "full" }),
  });
  expect(await desk.call("grant", person, frontDoor)).toMatchObject({
    exit: 1,
    out: "Accepted, but the lock does not take it. refused: full\n",
  });
});

test("grant and revoke return at once with --no-wait, and with --json", async () => {
  await using desk = await Desk.open({ "devices/list": devices, [grantCommand]: ok, [revokeCommand]: ok });
  expect(await desk.call("grant", person, frontDoor, "--no-wait")).toMatchObject({ exit: 0 });
  expect(await desk.call("grant", person, frontDoor, "--json")).toEqual({ exit: 0, out: '{"ok":true}\n', err: "" });
  expect(await desk.call("revoke", person, frontDoor, "--no-wait")).toMatchObject({ exit: 0 });
  expect(await desk.call("revoke", person, frontDoor, "--json")).toEqual({ exit: 0, out: '{"ok":true}\n', err: "" });
  expect(desk.asked.map(([name]) => name)).not.toContain("access/list");
});

test("grant and revoke say how new they are with --as-of, as the number or the instant that it is", async () => {
  const superseded = { ok: false, error: { type: "superseded", message: "newer" } };
  await using desk = await Desk.open({ "devices/list": devices, [grantCommand]: superseded, [revokeCommand]: ok });
  expect(await desk.call("grant", person, frontDoor, "--as-of", "41", "--no-wait")).toEqual({
    exit: 1,
    out: "",
    err: "refused (superseded): newer\n",
  });
  expect(await desk.call("revoke", person, frontDoor, "--as-of", "2026-01-31T09:30:00Z", "--no-wait")).toMatchObject({
    exit: 0,
  });
  const sent = desk.asked.filter(([name]) => name !== "devices/list");
  expect(sent).toEqual([
    [grantCommand, { ...pair, as_of: 41 }],
    [revokeCommand, { ...pair, as_of: "2026-01-31T09:30:00Z" }],
  ]);
});

test("list shows who has no credential yet", async () => {
  await using desk = await Desk.open({
    "devices/list": devices,
    "access/list": receipt("waiting", { kind: null, reason: "abilities_unknown" }),
  });
  expect(await desk.call("list")).toMatchObject({
    exit: 0,
    out: expect.stringContaining("abilities_unknown") as string,
  });
});

test("revoke waits until the code is proven gone", async () => {
  await using desk = await Desk.open({
    "devices/list": devices,
    [revokeCommand]: ok,
    "access/list": [receipt("removing"), receipt("gone", { evidence: "read_back" })],
  });
  expect(await desk.call("revoke", person, "Front door")).toEqual({
    exit: 0,
    out: "Access to Front door is gone: read back from the lock.\n",
    err: "",
  });
});

test("revoke takes no receipt for gone, too", async () => {
  await using desk = await Desk.open({
    "devices/list": devices,
    [revokeCommand]: ok,
    "access/list": { ok: true, receipts: [] },
  });
  expect(await desk.call("revoke", person, frontDoor)).toMatchObject({
    exit: 0,
    out: "Access to Front door is gone.\n",
  });
});

test("revoke says when the code may still open, and when another grant lets in", async () => {
  await using desk = await Desk.open({
    "devices/list": devices,
    [revokeCommand]: [ok, { ok: true, still_granted_by: [{ access_grant_id: "ag-1" }] }],
    "access/list": receipt("removing", { reason: "lock_offline" }),
  });
  expect((await desk.call("revoke", person, frontDoor)).out).toMatch(
    /may still open Front door \(removing: lock_offline\)\.\n.*until the lock proves/,
  );
  expect((await desk.call("revoke", person, frontDoor)).out).toMatch(/may still use .*, by access grant ag-1/);
});

test("revoke reaches a device that is no longer configured", async () => {
  await using desk = await Desk.open({
    "devices/list": { ok: true, devices: [] },
    [revokeCommand]: { ok: false, error: { type: "device_not_found", message: "no such device" } },
  });
  expect(await desk.call("revoke", person, frontDoor)).toEqual({
    exit: 1,
    out: "",
    err: "refused (device_not_found): no such device\n",
  });
});

test("a name that fits no device, or several, is not sent", async () => {
  await using desk = await Desk.open({ "devices/list": devices });
  expect(await desk.call("grant", person, "Frnt door")).toEqual({
    exit: 1,
    out: "",
    err: 'the agent has no device "Frnt door"; did you mean "Front door"?\n',
  });
  const { exit, err } = await desk.call("grant", person, "side door");
  expect(exit).toBe(2);
  expect(err).toMatch(/more than one .* d-2 or d-3/);
  expect(desk.asked.map(([name]) => name)).toEqual(["devices/list", "devices/list"]);
});

test("list shows receipts as a table, without columns that say nothing", async () => {
  await using desk = await Desk.open({
    "devices/list": devices,
    "access/list": receipt("refused", { reason: "full", hint: "free a slot" }),
  });
  const { exit, out } = await desk.call("list", "--identity", person, "--device", "Front door");
  expect(exit).toBe(0);
  expect(out).toBe(
    [
      "WHO                                   DEVICE      STATE    WITH  SINCE                     WHY",
      `${person}  Front door  refused  pin   2026-01-01T00:00:00.000Z  full: free a slot`,
      "",
    ].join("\n"),
  );
  expect(desk.asked[1]).toEqual(["access/list", pair]);
});

test("list says so where nobody has access, and shows a pair without credentials", async () => {
  const bare = { user_identity_id: "me", device_id: "gone", state: "waiting", grants: [], credentials: [] };
  await using desk = await Desk.open({
    "devices/list": devices,
    "access/list": [
      { ok: true, receipts: [] },
      { ok: true, receipts: [bare] },
    ],
  });
  expect((await desk.call("list")).out).toBe("Nobody has access.\n");
  expect((await desk.call("list")).out).toBe("WHO  DEVICE  STATE\nme   gone    waiting\n");
});

test("status shows whatever the agent tells of itself", async () => {
  const agent = {
    agent_id: "g-1",
    broker: { connected: false },
    devices: [{ name: "Front door", online: true }],
    secrets_exposed: [],
    none: null,
  };
  await using desk = await Desk.open({ "agent/status": { ok: true, agent } });
  const { exit, out } = await desk.call("status");
  expect(exit).toBe(0);
  expect(out.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["agent_id", "g-1"],
    ["broker.connected", "no"],
    ["devices.1.name", "Front door"],
    ["devices.1.online", "yes"],
    ["secrets_exposed", "none"],
    ["none", "-"],
    [""],
  ]);
});

test("code prints the PIN and nothing else", async () => {
  await using desk = await Desk.open({
    "devices/list": devices,
    "credentials/get": [
      {
        ok: true,
        credentials: [{ credential_id: "c", kind: "pin", origin: "issued", code: "471100", device_ids: [frontDoor] }],
      },
      { ok: true, credentials: [] },
    ],
  });
  expect(await desk.call("code", person, "Front door")).toEqual({ exit: 0, out: "471100\n", err: "" });
  expect(desk.asked[1]).toEqual(["credentials/get", pair]);
  const { exit, out, err } = await desk.call("code", person, "Front door");
  expect({ exit, out }).toEqual({ exit: 1, out: "" });
  expect(err).toMatch(/there is no code of .* for Front door/);
});

test("act says what the lock does, also by its exit code", async () => {
  await using desk = await Desk.open({
    "act/type": [
      { ok: true, effect: "opened" },
      { ok: true, effect: "denied" },
    ],
    "act/card": { ok: true, effect: "opened" },
  });
  expect(await desk.call("act", "front-door", "type", "0471")).toEqual({ exit: 0, out: "opened\n", err: "" });
  expect(await desk.call("act", "front-door", "type", "0000")).toEqual({ exit: 1, out: "denied\n", err: "" });
  expect(await desk.call("act", "front-door", "card", "wiegand26", "0101")).toMatchObject({ exit: 0 });
  expect(desk.asked).toEqual([
    ["act/type", { lock: "front-door", digits: "0471" }],
    ["act/type", { lock: "front-door", digits: "0000" }],
    ["act/card", { lock: "front-door", format: "wiegand26", bits: "0101" }],
  ]);
});

test("act lays hands on the lock, as its owner or at its cables", async () => {
  const done = { ok: true, effect: "done" };
  await using desk = await Desk.open({
    "act/program": [done, { ok: true, effect: "refused" }],
    "act/delete": done,
    "act/delete_all": done,
    "act/reset": done,
    "act/power": done,
    "act/battery": done,
  });
  const calls = ["program 4711 7", "program 4711", "delete 7", "delete all", "reset", "power", "battery 0.2"];
  const exits = [];
  for (const words of calls) exits.push((await desk.call("act", "front-door", ...words.split(" "))).exit);
  expect(exits).toEqual([0, 1, 0, 0, 0, 0, 0]);
  const lock = "front-door";
  expect(desk.asked).toEqual([
    ["act/program", { lock, digits: "4711", slot: "7" }],
    ["act/program", { lock, digits: "4711" }],
    ["act/delete", { lock, slot: "7" }],
    ["act/delete_all", { lock }],
    ["act/reset", { lock }],
    ["act/power", { lock }],
    ["act/battery", { lock, level: 0.2 }],
  ]);
});

test("fault begins and ends what goes wrong at a simulated lock, and lists it", async () => {
  const has = { ok: true, faults: [{ fault: "loses_replies", share: 0.3 }] };
  await using desk = await Desk.open({
    "simulate/fault": [has, has, { ok: true, faults: [] }],
    "simulate/look": has,
  });
  expect(await desk.call("fault", "front-door", "loses_replies", "--share", "0.3", "--to", "write,clear")).toEqual({
    exit: 0,
    out: [
      "FAULT          WITH       A LOCK THAT",
      "loses_replies  share=0.3  does what it is asked, and its answer is lost",
      "",
    ].join("\n"),
    err: "",
  });
  await desk.call("fault", "front-door", "slow", "--ms", "500-2000", "--seconds", "9");
  expect(await desk.call("fault", "front-door", "loses_replies", "off")).toMatchObject({
    exit: 0,
    out: "Nothing is wrong with front-door.\n",
  });
  expect(await desk.call("fault", "front-door", "--json")).toMatchObject({ out: `${JSON.stringify(has)}\n` });
  const lock = "front-door";
  expect(desk.asked).toEqual([
    ["simulate/fault", { lock, on: true, fault: "loses_replies", share: 0.3, to: ["write", "clear"] }],
    ["simulate/fault", { lock, on: true, fault: "slow", ms: [500, 2000], seconds: 9 }],
    ["simulate/fault", { lock, on: false, fault: "loses_replies" }],
    ["simulate/look", { lock }],
  ]);
});

test("fault --help says what each is", async () => {
  await using desk = await Desk.open();
  const { out } = await desk.call("fault", "--help");
  for (const name of faultNames) expect(out).toContain(`  ${name} `);
});

test.each([
  [["act", "front-door", "type", "1", "2"]],
  [["act", "front-door", "delete"]],
  [["act", "front-door", "reset", "now"]],
  [["act", "front-door", "battery"]],
  [["act", "front-door", "card", "a", "b", "c"]],
  [["fault", "front-door", "def"]],
  [["fault", "front-door", "deaf", "maybe"]],
  [["fault", "front-door", "deaf", "--share", "much"]],
  [["fault", "front-door", "slow", "--ms", "500"]],
  [["act", "front-door", "card", "wiegand26"]],
  [["act", "front-door", "kick", "1"]],
  [["grant", "x"]],
  [["list", "--devise", "x"]],
  [["lst"]],
  [[]],
])("latchd %j is a wrong call: exit code 2, and nothing is asked", async (words) => {
  await using desk = await Desk.open({});
  const { exit, out, err } = await desk.call(...words);
  expect({ exit, out, asked: desk.asked }).toEqual({ exit: 2, out: "", asked: [] });
  expect(err).not.toBe("");
});

test("--json prints a refusal as it came", async () => {
  const refusal = { ok: false, error: { type: "invalid_input", message: "no", validation_errors: { _errors: [] } } };
  await using desk = await Desk.open({ "access/list": refusal });
  expect(await desk.call("list", "--json")).toEqual({ exit: 1, out: `${JSON.stringify(refusal)}\n`, err: "" });
  expect(await desk.call("list")).toEqual({ exit: 1, out: "", err: 'refused (invalid_input): no\n{"_errors":[]}\n' });
});

test("a reply of another kind is not taken for one", async () => {
  await using desk = await Desk.open({ "agent/status": { hello: "world" } });
  const { exit, err } = await desk.call("status");
  expect(exit).toBe(1);
  expect(err).toMatch(/makes no sense/);
});

test("without an agent every client says how to start one", async () => {
  await using desk = await Desk.open();
  const calls = [
    ["status"],
    ["list"],
    ["grant", person, "x"],
    ["revoke", person, "x"],
    ["code", person, "x"],
    ["act", "l", "type", "1"],
  ];
  for (const words of calls) {
    const { exit, err } = await desk.call(...words);
    expect(exit).toBe(2);
    expect(err).toContain(`no agent is running on ${desk.dataDir}\nstart one with: npx latchd run\n`);
  }
});

test("--data and --config say which agent is meant", async () => {
  await using desk = await Desk.open({ "agent/status": { ok: true, agent: { agent_id: "g-1" } } });
  await using other = await Desk.open();
  expect(await other.call("status", "--data", desk.dataDir)).toMatchObject({ exit: 0 });
  const config = join(other.dataDir, "config.json");
  writeFileSync(config, JSON.stringify({ data_dir: desk.dataDir }));
  expect(await other.call("status", "--config", config)).toMatchObject({ exit: 0 });
  writeFileSync(config, "{");
  const { exit, err } = await other.call("status", "--config", config);
  expect(exit).toBe(2);
  expect(err).toMatch(/not JSON at line 1/);
});

test("help tells each command with an example", async () => {
  await using desk = await Desk.open();
  const { exit, out } = await desk.call("--help");
  expect(exit).toBe(0);
  for (const verb of ["run", "grant", "revoke", "list", "code", "status", "act", "fault"]) {
    expect(out).toContain(`  ${verb} `);
    const help = await desk.call(verb, "--help");
    expect(help.exit).toBe(0);
    expect(help.out).toMatch(/Examples?:\n {2}\$ latchd /);
  }
});
