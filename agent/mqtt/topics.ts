/** The names of one agent on its broker, under `{prefix}/{agent_id}/`. Ids must be levels of a topic already. */
export interface Topics {
  /** The filter for all commands. It also takes what is no `{group}/{verb}`, so that such a mistake gets an answer. */
  readonly commands: string;
  readonly status: string;
  /** Whether {@link commands} takes it. */
  isCommand(topic: string): boolean;
  /** `group/verb` of a command's topic; undefined where it names none. */
  commandName(topic: string): string | undefined;
  /** Where the reply to a command with the request id `id` goes. */
  reply(id: string): string;
  event(type: string): string;
  device(id: string): string;
  /**
   * Whether a Response Topic that a publisher chose may be published to: under `reply/`, and such that no broker closes
   * the connection over it, which would repeat for as long as the reply waits.
   */
  isReplyTopic(topic: string): boolean;
  /** A topic of ours without `{prefix}/{agent_id}/`, and back. */
  below(topic: string): string;
  full(below: string): string;
}

/** Characters of a Response Topic, and levels of it: far more than needed, far fewer than any broker's limit. */
const maxLength = 256;
const maxLevels = 24;

/** Wildcards, and what MQTT forbids or lets a broker refuse: control characters, lone surrogates, non-characters. */
const unfit = /[+#\p{C}\uFFFD]/u;

export function topicsOf(prefix: string, agentId: string): Topics {
  const base = `${prefix}/${agentId}`;
  const command = `${base}/command/`;
  const reply = `${base}/reply/`;
  return {
    commands: `${command}#`,
    status: `${base}/status`,
    isCommand: (topic) => `${topic}/`.startsWith(command),
    commandName(topic) {
      const name = topic.startsWith(command) ? topic.slice(command.length) : "";
      return /^[a-z_]+\/[a-z_]+$/.test(name) ? name : undefined;
    },
    reply: (id) => reply + id,
    below: (topic) => topic.slice(base.length + 1),
    full: (below) => `${base}/${below}`,
    event: (type) => `${base}/event/${type}`,
    device: (id) => `${base}/devices/${id}`,
    isReplyTopic: (topic) =>
      topic.startsWith(reply) &&
      topic.length > reply.length &&
      topic.length <= maxLength &&
      topic.split("/").length <= maxLevels &&
      !unfit.test(topic),
  };
}
