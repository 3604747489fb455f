import { expect, test } from "vitest";
import { topicsOf } from "../../agent/mqtt/topics.ts";

const topics = topicsOf("access", "gateway-1");

test("topicsOf() names everything under prefix and agent id", () => {
  expect(topics.commands).toBe("access/gateway-1/command/#");
  expect(topics.status).toBe("access/gateway-1/status");
  expect(topics.reply("try-1")).toBe("access/gateway-1/reply/try-1");
  expect(topics.event("access.live")).toBe("access/gateway-1/event/access.live");
  expect(topics.device("054765c8")).toBe("access/gateway-1/devices/054765c8");
  expect(topicsOf("site/7/access", "g").status).toBe("site/7/access/g/status");
});

test.each([
  ["access/gateway-1/command/devices/list", "devices/list"],
  ["access/gateway-1/command/user_identities/grant_access_to_device", "user_identities/grant_access_to_device"],
  ["access/gateway-1/command/devices", undefined],
  ["access/gateway-1/command/", undefined],
  ["access/gateway-1/command", undefined],
  ["access/gateway-1/command/devices/list/x", undefined],
  ["access/gateway-1/command/Devices/list", undefined],
  ["access/gateway-2/command/devices/list", undefined],
  ["other/access/gateway-1/command/devices/list", undefined],
])("commandName() of %s is %s", (topic, name) => {
  expect(topics.commandName(topic)).toBe(name);
});

test.each(["access/gateway-1/reply/x", "access/gateway-1/reply/booking/42", "access/gateway-1/reply/käse"])(
  "isReplyTopic() takes %s",
  (topic) => {
    expect(topics.isReplyTopic(topic)).toBe(true);
  },
);

test.each([
  "",
  "access/gateway-1/reply",
  "access/gateway-1/reply/",
  "access/gateway-1/status",
  "access/gateway-2/reply/x",
  "access/gateway-1/reply/../../x/#",
  "access/gateway-1/reply/+",
  "access/gateway-1/reply/a\u0000",
  "access/gateway-1/reply/a\u007f",
  "access/gateway-1/reply/\ud800",
  "access/gateway-1/reply/\ufffd",
  "access/gateway-1/reply/\uffff",
  `access/gateway-1/reply/${"x".repeat(300)}`,
  `access/gateway-1/reply/${"x/".repeat(60)}`,
  "zigbee2mqtt/front-door/set",
])("isReplyTopic() refuses %j", (topic) => {
  expect(topics.isReplyTopic(topic)).toBe(false);
});

test.each([
  ["access/gateway-1/command/devices/list", true],
  ["access/gateway-1/command/", true],
  ["access/gateway-1/command", true],
  ["access/gateway-1/commands/devices/list", false],
  ["access/gateway-2/command/devices/list", false],
])("isCommand() of %s is %s, as it is for a broker with the filter of all commands", (topic, is) => {
  expect(topics.isCommand(topic)).toBe(is);
});
