import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { onTestFinished } from "vitest";
import { freePort } from "../../support/broker.ts";
import { until } from "../mqtt-support.ts";

const examples = join(import.meta.dirname, "../../../agent/mqtt/examples");

/** mosquitto with the files that we ship as examples: nothing but paths and the port is another. Ends with the test. */
export class ExampleBroker {
  readonly folder = mkdtempSync(join(tmpdir(), "latchd-example-"));
  readonly port: number;
  /** As its certificate names it. */
  readonly url: string;
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
    this.url = `mqtts://localhost:${port}`;
  }

  /** @param names who gets a certificate. */
  static async start(names: readonly string[]): Promise<ExampleBroker> {
    const broker = new ExampleBroker(await freePort());
    onTestFinished(() => broker.#stop());
    makeCertificates(broker.folder, names);
    writeFileSync(join(broker.folder, "acl"), readFileSync(join(examples, "acl")));
    const conf = readFileSync(join(examples, "mosquitto.conf"), "utf8")
      .replace(/^listener 8883$/m, `listener ${broker.port} 127.0.0.1`)
      .replaceAll("/etc/mosquitto/latchd/", `${broker.folder}/`)
      .replaceAll("/var/lib/mosquitto/", `${broker.folder}/`);
    writeFileSync(join(broker.folder, "mosquitto.conf"), conf);
    // Started by root it changes to a user of its own, who has to get at all of it.
    chmodSync(broker.folder, 0o777);
    for (const file of readdirSync(broker.folder)) chmodSync(join(broker.folder, file), 0o644);
    broker.#child = spawn("mosquitto", ["-c", join(broker.folder, "mosquitto.conf")], { stdio: "ignore" });
    await until("mosquitto listens", () => listens(broker.port));
    return broker;
  }

  pem(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  /** The options of an agent's configuration. */
  configFor(name: string): object {
    const file = (end: string): string => join(this.folder, end);
    return { url: this.url, ca_file: file("ca.crt"), cert_file: file(`${name}.crt`), key_file: file(`${name}.key`) };
  }

  /** A client by the name in its certificate; without a name, one that has none. Ends with the test. */
  async client(name: string | undefined): Promise<MqttClient> {
    const own = name === undefined ? {} : { cert: this.pem(`${name}.crt`), key: this.pem(`${name}.key`) };
    const client = await connectAsync(
      this.url,
      { protocolVersion: 5, reconnectPeriod: 0, ca: this.pem("ca.crt"), ...own },
      false,
    );
    onTestFinished(async () => {
      await client.endAsync(true);
    });
    return client;
  }

  async #stop(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** As the example does, for a broker on localhost. */
export function makeCertificates(folder: string, names: readonly string[]): void {
  execFileSync(join(examples, "make-certificates"), [folder, "localhost", ...names], { stdio: "ignore" });
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
