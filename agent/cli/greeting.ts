import { resolve } from "node:path";
import type { RemoteBroker } from "../config/broker.ts";
import type { DeviceConfig } from "../config/device.ts";
import type { Http } from "../config/http.ts";
import { type Config, localDoorPath } from "../config.ts";
import { shellWord } from "./shell.ts";

/** Somebody who does not exist, to try things with. */
const somebody = "f3a328b4-dd04-4370-9000-d52b7a01b0bf";

/** What a started agent says first: where it listens, and the lines to try. */
export function greeting(config: Config, cwd: string): string {
  const { agentId, prefix, devices, mqtt } = config;
  const base = `${prefix}/${agentId}`;
  const names = devices.map(({ name }) => name).join(", ");
  return [
    `latchd is running as ${agentId}.`,
    `  MQTT        ${whereIs(config)}, topics under ${base}/`,
    ...(config.http ? [`  HTTP        ${httpUrl(config.http)}, for who has a key: npx latchd keys create`] : []),
    `  local door  ${localDoorPath(config.dataDir)}`,
    `  doors       ${names || 'none yet: add one under "devices" in the configuration'}`,
    ...(mqtt.codes === "clear" ? ['  Codes are told in clear over MQTT: mqtt.codes is "clear".'] : []),
    "",
    ...devices.slice(0, 1).flatMap((device) => [...overMqtt(config, base, device), ...overCli(config, device, cwd)]),
    "Ctrl-C stops it.",
    "",
  ].join("\n");
}

function whereIs({ broker }: Config): string {
  if (broker.kind === "remote") return broker.url;
  const host = broker.host.includes(":") ? `[${broker.host}]` : broker.host;
  return broker.port === 0
    ? `embedded broker on ${host}, any free port`
    : `embedded broker on mqtt://${host}:${broker.port}`;
}

function httpUrl({ host, port, tls }: Http): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `${tls ? "https" : "http"}://${name}${port === 0 ? ", any free port" : `:${port}`}`;
}

function overMqtt(config: Config, base: string, { deviceId }: DeviceConfig): string[] {
  const to = connection(config);
  const grant = { request_id: "try-1", user_identity_id: somebody, device_id: deviceId };
  const topics = ["reply", "event"].map((kind) => `-t ${quoted(`${base}/${kind}/#`)}`).join(" ");
  const topic = shellWord(`${base}/command/user_identities/grant_access_to_device`);
  return [
    "Try it. In one terminal:",
    `  mosquitto_sub${to} -q 1 -v ${topics}`,
    "and in another:",
    `  mosquitto_pub${to} -q 1 -t ${topic} -m ${quoted(JSON.stringify(grant))}`,
    "",
  ];
}

function overCli({ links, dataDir }: Config, { name, parts }: DeviceConfig, cwd: string): string[] {
  const where = dataDir === resolve(cwd, "data") ? "" : ` --data ${shellWord(dataDir)}`;
  const who = `${somebody} "${name.replace(/["\\$`]/g, "\\$&")}"${where}`;
  const { memory } = parts;
  const simulated = memory && links.get(memory.link)?.driver === "simulated" ? memory.address : undefined;
  return [
    "Or without mosquitto:",
    `  npx latchd grant ${who}`,
    `  npx latchd code ${who}`,
    ...(simulated === undefined ? [] : [`  npx latchd act ${shellWord(simulated)} type <PIN>${where}`]),
    `  npx latchd revoke ${who}`,
    "",
  ];
}

/** The options that lead mosquitto's clients to the broker; none where it is where they look by themselves. */
function connection({ broker }: Config): string {
  if (broker.kind === "remote") return remote(broker);
  const host = broker.host === "127.0.0.1" || broker.host === "localhost" ? "" : ` -h ${broker.host}`;
  return broker.port === 1883 ? host : `${host} -p ${broker.port === 0 ? "<port>" : broker.port}`;
}

function remote({ url, username, tls }: RemoteBroker): string {
  const { hostname, port } = new URL(url);
  const login = username === undefined ? "" : ` -u ${shellWord(username)} -P '<password>'`;
  return ` -h ${hostname} -p ${port}${login}${tls ? " --cafile <your CA>" : ""}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
