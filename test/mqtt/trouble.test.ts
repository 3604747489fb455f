import { expect, test } from "vitest";
import { troubleOf, troubleOfReason, versionRefusal } from "../../agent/mqtt/trouble.ts";

const coded = (code: string | number): Error => Object.assign(new Error("as the library says it"), { code });

test.each([
  ["ECONNREFUSED", "broker.url"],
  ["ENOTFOUND", "broker.url"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "broker.ca_file"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "mqtts://"],
  [4, "broker.username"],
  [5, "broker.username"],
  [134, "broker.password_file"],
  [133, "agent_id"],
  [132, "broker.protocol"],
])("troubleOf() of %s names the setting %s", (code, setting) => {
  expect(troubleOf(coded(code)).hint).toContain(setting);
});

test("troubleOf() has words for what it does not know", () => {
  expect(troubleOf(coded("EWHAT")).reason).toBe("EWHAT");
  expect(troubleOf(coded(200)).reason).toContain("200");
  expect(troubleOf(new Error("connack timeout")).hint).toContain("broker.url");
  expect(troubleOf(undefined).reason).toContain("without a word");
});

test("troubleOfReason() explains a takeover by the agent id", () => {
  expect(troubleOfReason(142).hint).toContain("agent_id");
});

test("versionRefusal() is said by a code, likely where the broker hangs up, and else something different", () => {
  expect([1, 132].map((code) => versionRefusal(coded(code)))).toEqual(["said", "said"]);
  expect([undefined, coded("ECONNRESET")].map(versionRefusal)).toEqual(["likely", "likely"]);
  expect([coded("ECONNREFUSED"), coded(5), coded(135)].map(versionRefusal)).toEqual(["no", "no", "no"]);
});
