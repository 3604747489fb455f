import { request } from "node:http";
import { beforeAll } from "vitest";
import { freePort } from "../../support/broker.ts";
import { AgentProcess, type WhenOver } from "./agent-process.ts";
import { embedded } from "./doors.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface Made {
  readonly key: string;
  readonly id: string;
  readonly workspace: string;
}

/** An agent with an HTTP door, and what a program does there. */
export class HttpSite {
  readonly agent: AgentProcess;
  readonly port: number;
  readonly broker: string;

  private constructor(agent: AgentProcess, port: number, broker: string) {
    this.agent = agent;
    this.port = port;
    this.broker = broker;
  }

  static async start(http: object = {}, more: object = {}, whenOver?: WhenOver): Promise<HttpSite> {
    const port = await freePort();
    const { config, url } = await embedded({}, { http: { port, ...http }, ...more });
    return new HttpSite(await new AgentProcess(config, undefined, whenOver).start(), port, url);
  }

  /** One for all tests of a file: starting it takes longer than most of them. */
  static shared(http: object = {}, more: object = {}): () => HttpSite {
    let site: HttpSite | undefined;
    beforeAll(async () => {
      const ends: (() => Promise<void>)[] = [];
      site = await HttpSite.start(http, more, (end) => ends.push(end));
      return async () => {
        for (const end of ends) await end();
      };
    });
    return () => {
      if (!site) throw new Error("it is there in a test only");
      return site;
    };
  }

  async key(parameters: object = {}): Promise<Made> {
    const reply = await this.agent.ask("keys/create", parameters);
    return { key: String(reply["key"]), id: String(reply["key_id"]), workspace: String(reply["workspace_id"]) };
  }

  /** @param body sent as JSON, or as it is. */
  send(
    method: string,
    path: string,
    { key, body, headers = {} }: { key?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    return new Promise((done, fail) => {
      const outgoing = request(
        {
          port: this.port,
          host: "127.0.0.1",
          method,
          path,
          agent: false,
          headers: {
            ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
            ...(text === undefined ? {} : { "content-type": "application/json" }),
            ...headers,
          },
        },
        (incoming) => {
          let heard = "";
          incoming.setEncoding("utf8").on("data", (chunk: string) => {
            heard += chunk;
          });
          incoming.once("end", () =>
            done({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: heard }),
          );
        },
      );
      outgoing.once("error", fail);
      outgoing.end(text);
    });
  }
}
