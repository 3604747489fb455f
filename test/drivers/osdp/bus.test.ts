import { expect, test } from "vitest";
import { later } from "../../../agent/domain/instant.ts";
import { Wired } from "../../support/osdp-wired.ts";

test("an output is moved in the next turn, whoever else is waiting for his", () => {
  const wired = new Wired({ count: 8, baud: 9_600 });
  wired.run(10_000);
  const at = wired.now;
  wired.sessions[3]?.want({
    id: "open",
    command: { command: "OUT", outputs: [{ output: 0, code: 5, timer: 30 }] },
    deadline: later(at, 2_000),
  });
  wired.run(1_000);
  expect(wired.is("result")).toMatchObject([{ address: 3, happening: { id: "open", result: { result: "done" } } }]);
  const [moved] = wired.switched;
  expect(moved).toMatchObject({ address: 3 });
  // The turn that is under way, and the 31 bytes of the command.
  expect((moved?.at ?? at) - at).toBeLessThan(38 + 45);
});

test("readers that are not there take little of the time of those that are", () => {
  const wired = new Wired({ count: 4, baud: 38_400 });
  wired.run(5_000);
  for (const gone of wired.readers.slice(2)) wired.far.leave(gone);
  wired.run(30_000);
  expect(wired.addresses("offline")).toEqual([2, 3]);
  const since = wired.now;
  wired.run(60_000);
  // One silence of 200 ms at a time.
  expect(wired.longestPause(0, since)).toBeLessThan(400);
  for (const back of wired.readers.slice(2)) wired.far.join(back);
  wired.run(35_000);
  expect(wired.addresses("online")).toEqual([0, 1, 2, 2, 3, 3]);
});

test("an adapter that hands over in lumps costs time, and no reader", () => {
  const wired = new Wired({ count: 3, baud: 38_400, lumps: 16 });
  wired.run(30_000);
  expect(wired.is("online")).toHaveLength(3);
  expect(wired.is("offline")).toEqual([]);
  expect(wired.sessions.map(({ counts: { silences, repeats } }) => silences + repeats)).toEqual([0, 0, 0]);
});
