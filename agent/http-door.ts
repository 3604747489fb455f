import type { AnswerCall } from "./answering.ts";
import type { Http } from "./config/http.ts";
import type { Secret } from "./domain/secret.ts";
import { Gate, type KeyRing } from "./http/gate.ts";
import { type HttpDoor, openHttpDoor } from "./http/server.ts";
import type { IntakeParts } from "./intake.ts";

/** Opens the HTTP door on what is kept, and says how to get in where nobody can. */
export async function serveHttp(http: Http, parts: IntakeParts, answer: AnswerCall): Promise<HttpDoor> {
  const { log, now } = parts;
  const door = await openHttpDoor(http, {
    gate: new Gate(ringOf(parts), now, log),
    perform: async (name, payload, { key: { id, scope }, isPrivate }) =>
      answer(name, payload, { door: "http", by: `http key ${id}`, codes: isPrivate && scope.codes, scope }),
    log,
  });
  log.info({ host: http.host, port: door.port, tls: http.tls !== undefined }, "commands are taken over HTTP");
  if (!parts.store.transaction(() => parts.store.keys.hasUsable)) {
    log.warn({ cure: "npx latchd keys create" }, "nobody has a key for HTTP, so nothing gets in there");
  }
  return door;
}

function ringOf({ store, failed }: IntakeParts): KeyRing {
  const relied = <T>(act: () => T): T => {
    try {
      return store.transaction(act);
    } catch (error) {
      failed(error);
      throw error;
    }
  };
  return {
    workspaceId: store.records.workspaceId,
    find: (key: Secret) => relied(() => store.keys.find(key)),
    noteRefusal: (of) => relied(() => store.keys.noteRefusal(of)),
  };
}
