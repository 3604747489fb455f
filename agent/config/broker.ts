import { Secret } from "../domain/secret.ts";
import { isLoopback } from "./loopback.ts";
import { didYouMean } from "./nearest.ts";
import type { Problem } from "./problems.ts";
import type { BrokerShape } from "./shape.ts";

/** The broker that latchd brings along (MQTT 3.1.1, no users, loopback only), or one of the operator's own. */
export type Broker = EmbeddedBroker | RemoteBroker;
interface EmbeddedBroker {
  readonly kind: "embedded";
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}
export interface RemoteBroker {
  readonly kind: "remote";
  /** `mqtt://host:port` or `mqtts://host:port`; never with a user or a password in it. */
  readonly url: string;
  readonly protocol: "auto" | "5" | "3.1.1";
  readonly username?: string;
  readonly password?: Secret;
  /** With mqtts only; PEM. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: Secret };
}

/** Reads a file named in the configuration, relative to its folder; rejects the option where it cannot. */
export type ReadFile = (option: string, file: string) => string | undefined;
export type Report = (problem: Problem) => void;

const defaultPorts: Readonly<Record<string, number>> = { "mqtt:": 1883, "mqtts:": 8883 };

/** The broker as the configuration means it. What is wrong goes to `report`. */
export function resolveBroker(shape: BrokerShape | string, read: ReadFile, report: Report): Broker | undefined {
  const broker: BrokerShape = typeof shape === "string" ? { url: shape, protocol: "auto" } : shape;
  const at = typeof shape === "string" ? ["broker"] : ["broker", "url"];
  if (broker.url === "embedded") return embedded(broker, report);
  for (const option of ["host", "port"] as const) {
    if (broker[option] === undefined) continue;
    report({ path: ["broker", option], text: "goes with the embedded broker only: put it in broker.url" });
  }
  const url = brokerUrl(broker.url, (text) => report({ path: at, text }));
  if (!url) return undefined;
  return {
    kind: "remote",
    url: `${url.protocol}//${url.hostname}:${url.port || defaultPorts[url.protocol]}`,
    protocol: broker.protocol,
    ...login(broker, read, report),
    ...(url.protocol === "mqtts:" ? { tls: tls(broker, read, report) } : noTls(broker, report)),
  };
}

/**
 * What the remote broker alone needs (user, password, certificates) may stand beside "embedded", so that a gateway can be
 * moved from one to the other by changing the url.
 */
function embedded({ host = "127.0.0.1", port = 1883 }: BrokerShape, report: Report): EmbeddedBroker {
  if (!isLoopback(host)) {
    const text = `the embedded broker knows no users, so it listens on loopback only (127.0.0.1): to be reached from elsewhere, run a broker such as mosquitto and name it in broker.url`;
    report({ path: ["broker", "host"], text });
  }
  return { kind: "embedded", host, port };
}

function brokerUrl(text: string, fault: (text: string) => void): URL | undefined {
  const form = '"embedded", or mqtt://host:port, or mqtts://host:port';
  if (!URL.canParse(text) || !text.includes("://")) {
    fault(`must be ${form}${didYouMean(text, ["embedded"]).replace(/^; there.*/, "")}`);
    return undefined;
  }
  const url = new URL(text);
  if (!Object.hasOwn(defaultPorts, url.protocol)) fault(`must be ${form}: latchd does not speak ${url.protocol}//`);
  // The text itself is not repeated: it may hold a password.
  else if (url.username !== "" || url.password !== "")
    fault("must not hold a user or a password: use broker.username and broker.password_file");
  else if (url.hostname === "") fault(`must name a host: ${form}`);
  else if (url.pathname.length > 1 || url.search !== "" || url.hash !== "") fault(`must end after the port: ${form}`);
  else return url;
  return undefined;
}

type Login = Pick<RemoteBroker, "username" | "password">;

function login(broker: BrokerShape, read: ReadFile, report: Report): Login {
  const { username, password_file: file } = broker;
  if (file === undefined) return username === undefined ? {} : { username };
  if (username === undefined) report({ path: ["broker", "password_file"], text: "needs broker.username beside it" });
  const text = read("password_file", file)?.replace(/\r?\n$/, "");
  if (text === "") report({ path: ["broker", "password_file"], text: "the file is empty: it must hold the password" });
  return {
    ...(username === undefined ? {} : { username }),
    ...(text === undefined ? {} : { password: new Secret(text) }),
  };
}

function tls(broker: BrokerShape, read: ReadFile, report: Report): NonNullable<RemoteBroker["tls"]> {
  const { ca_file: caFile, cert_file: certFile, key_file: keyFile } = broker;
  if (certFile !== undefined && keyFile === undefined)
    report({ path: ["broker", "cert_file"], text: "needs broker.key_file beside it" });
  if (keyFile !== undefined && certFile === undefined)
    report({ path: ["broker", "key_file"], text: "needs broker.cert_file beside it" });
  const pem = (option: string, file: string | undefined): string | undefined => {
    const text = file === undefined ? undefined : read(option, file);
    if (text === undefined || text.includes("-----BEGIN ")) return text;
    report({ path: ["broker", option], text: "is not a PEM file: it has no -----BEGIN line" });
    return undefined;
  };
  const ca = pem("ca_file", caFile);
  const cert = pem("cert_file", certFile);
  const key = pem("key_file", keyFile);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: new Secret(key) }),
  };
}

function noTls(broker: BrokerShape, report: Report): Record<string, never> {
  for (const option of ["ca_file", "cert_file", "key_file"] as const) {
    if (broker[option] === undefined) continue;
    report({ path: ["broker", option], text: "goes with mqtts:// only: over mqtt:// nothing is encrypted" });
  }
  return {};
}
