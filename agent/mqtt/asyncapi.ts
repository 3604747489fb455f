import type { Command } from "../commands/command.ts";
import { type Json, parametersSchema, refusalSchema, replySchema, schemasOf } from "../commands/json-schema.ts";
import { agentStatusShape } from "../commands/shapes/agent-status.ts";
import { deviceShape } from "../commands/shapes/device.ts";
import { eventShape } from "../commands/shapes/event.ts";
import { topicsOf } from "./topics.ts";

/** The topics of one agent as an AsyncAPI document (3.0.0), made from the command table and from the names of the topics. */
export function asyncApi(table: ReadonlyMap<string, Command>, version: string): Json {
  const commands = [...table.values()].filter(({ doors }) => doors.includes("mqtt"));
  const topics = topicsOf("{prefix}", "{agent_id}");
  return {
    asyncapi: "3.0.0",
    info: {
      title: "latchd",
      version,
      description:
        "An access agent for door locks, over MQTT at QoS 1. The proof that a command was carried out is its reply: a PUBACK is only the broker's. With MQTT 5 a Response Topic below reply/ does instead of request_id, and Correlation Data comes back.",
      license: { name: "Apache-2.0" },
    },
    defaultContentType: "application/json",
    servers: {
      broker: {
        host: "127.0.0.1:1883",
        protocol: "mqtt",
        description: "The broker of latchd's own, or the one that is set",
      },
    },
    channels: {
      ...Object.fromEntries(
        commands.map((command) => [
          idOf(command),
          channel(topics.full(`command/${command.name}`), { command: message(idOf(command)) }),
        ]),
      ),
      reply: channel(
        topics.reply("{id}"),
        Object.fromEntries(
          [...commands.map((command) => `${idOf(command)}_reply`), "refused"].map((id) => [id, message(id)]),
        ),
        "id",
      ),
      event: channel(topics.event("{event_type}"), { event: message("event") }, "event_type"),
      device: channel(topics.device("{device_id}"), { device: message("device") }, "device_id"),
      status: channel(topics.status, { status: message("status") }),
    },
    operations: {
      ...Object.fromEntries(commands.map((command) => [idOf(command), taking(command)])),
      tell_event: telling("event", false),
      tell_device: telling("device", true),
      tell_status: telling("status", true),
    },
    components: {
      messages: { ...Object.fromEntries(commands.flatMap(messagesOf)), ...ownMessages },
      schemas: schemas(commands),
      parameters: {
        prefix: { default: "access", description: "What every topic begins with" },
        agent_id: { default: "gateway-1", description: "Names this gateway on the broker" },
        id: { description: "The request_id of the command" },
        event_type: { description: "Such as access.live" },
        device_id: { description: "A door, as the configuration names it" },
      },
    },
  };
}

const idOf = ({ name }: Command): string => name.replaceAll("/", "_");
const message = (id: string): Json => ({ $ref: `#/components/messages/${id}` });

const channel = (address: string, messages: Json, parameter?: string): Json => ({
  address,
  messages,
  parameters: Object.fromEntries(
    ["prefix", "agent_id", ...(parameter === undefined ? [] : [parameter])].map((name) => [
      name,
      { $ref: `#/components/parameters/${name}` },
    ]),
  ),
});

const over = (retain: boolean): Json => ({ mqtt: { qos: 1, retain, bindingVersion: "0.2.0" } });

function taking(command: Command): Json {
  const id = idOf(command);
  return {
    action: "receive",
    channel: { $ref: `#/channels/${id}` },
    messages: [{ $ref: `#/channels/${id}/messages/command` }],
    bindings: over(false),
    reply: {
      channel: { $ref: "#/channels/reply" },
      messages: [{ $ref: `#/channels/reply/messages/${id}_reply` }, { $ref: "#/channels/reply/messages/refused" }],
    },
  };
}

const telling = (what: string, retain: boolean): Json => ({
  action: "send",
  channel: { $ref: `#/channels/${what}` },
  messages: [{ $ref: `#/channels/${what}/messages/${what}` }],
  bindings: over(retain),
});

const messagesOf = (command: Command): [string, Json][] => [
  [idOf(command), { title: command.name, payload: parametersSchema(command) }],
  [`${idOf(command)}_reply`, { title: `${command.name}: carried out`, payload: replySchema(command).schema }],
];

const ownMessages = {
  refused: { title: "Not carried out", payload: refusalSchema },
  event: { title: "Something happened", payload: schemasOf(eventShape).schema },
  device: { title: "A door; empty for one that is configured no longer", payload: schemasOf(deviceShape).schema },
  status: { title: "The agent; offline by last will", payload: schemasOf(agentStatusShape).schema },
};

const schemas = (commands: readonly Command[]): Json =>
  Object.assign(
    {},
    ...commands.map((command) => replySchema(command).named),
    ...[eventShape, deviceShape, agentStatusShape].map((shape) => schemasOf(shape).named),
  );
