/** Why there is no connection, in words for an operator, and what to do about it. */
export interface Trouble {
  readonly reason: string;
  readonly hint?: string;
}

const credentials = "check broker.username and broker.password_file against the broker's users";
const busy = "the broker's own log says more";
const network = "check the network, a firewall, and broker.url";
const certificate = "set broker.ca_file to the certificate of the authority that signed the broker's";
const ownCertificate = "check broker.cert_file and broker.key_file: the broker asks for a certificate that it knows";
const notTls = "broker.url must say mqtts:// for a TLS port, and mqtt:// for one without";

/** By error code of Node.js and OpenSSL. */
const byCode: Readonly<Record<string, Trouble>> = {
  ECONNREFUSED: { reason: "nothing listens there", hint: "start the broker, or correct broker.url" },
  ENOTFOUND: { reason: "that name is not known", hint: "correct the host in broker.url, or mend the name service" },
  EAI_AGAIN: { reason: "the name service does not answer", hint: "check the network and its name service" },
  ETIMEDOUT: { reason: "no answer in time", hint: network },
  EHOSTUNREACH: { reason: "no way to that host", hint: network },
  ENETUNREACH: { reason: "no way to that network", hint: network },
  ECONNRESET: { reason: "the connection was reset", hint: `${busy}; ${notTls}` },
  EPIPE: { reason: "the connection was closed while we wrote", hint: busy },
  EPROTO: { reason: "the TLS handshake failed", hint: notTls },
  ERR_SSL_WRONG_VERSION_NUMBER: { reason: "it does not speak TLS there", hint: notTls },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: { reason: "it does not speak TLS there", hint: notTls },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: { reason: "the broker wants our certificate", hint: ownCertificate },
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: { reason: "the broker does not know our certificate", hint: ownCertificate },
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: { reason: "the broker does not know our certificate", hint: ownCertificate },
  DEPTH_ZERO_SELF_SIGNED_CERT: { reason: "the broker's certificate is signed by itself", hint: certificate },
  SELF_SIGNED_CERT_IN_CHAIN: { reason: "the broker's certificate is of an unknown authority", hint: certificate },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { reason: "the broker's certificate is of an unknown authority", hint: certificate },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    reason: "the broker's certificate is of an unknown authority",
    hint: certificate,
  },
  CERT_HAS_EXPIRED: { reason: "the broker's certificate has expired", hint: "renew it, or correct this clock" },
  CERT_NOT_YET_VALID: { reason: "the broker's certificate is not valid yet", hint: "correct this machine's clock" },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    reason: "the broker's certificate is for another name",
    hint: "broker.url must name the broker as its certificate does",
  },
};

/** By CONNACK of MQTT 3.1.1 (section 3.2.2.3), and by reason code of MQTT 5 (section 2.4). */
const byReason: Readonly<Record<number, Trouble>> = {
  1: { reason: "the broker does not speak this version of MQTT", hint: 'set broker.protocol to "auto"' },
  2: { reason: "the broker refused our client id", hint: "agent_id makes it: choose one that the broker allows" },
  3: { reason: "the broker is not available", hint: busy },
  4: { reason: "the broker refused user name or password", hint: credentials },
  5: { reason: "the broker refused our login", hint: credentials },
  132: { reason: "the broker does not speak this version of MQTT", hint: 'set broker.protocol to "auto"' },
  133: { reason: "the broker refused our client id", hint: "agent_id makes it: choose one that the broker allows" },
  134: { reason: "the broker refused user name or password", hint: credentials },
  135: { reason: "the broker refused our login", hint: credentials },
  136: { reason: "the broker is not available", hint: busy },
  137: { reason: "the broker is busy", hint: busy },
  138: { reason: "the broker has banned us", hint: busy },
  139: { reason: "the broker is shutting down" },
  141: { reason: "the broker did not hear of us in time", hint: network },
  142: {
    reason: "another client took our session over",
    hint: "agent_id must be of this agent alone: does a second one run with it?",
  },
  149: { reason: "the broker found a message too large", hint: "raise the broker's limit of the packet size" },
  151: { reason: "the broker's quota is used up", hint: busy },
};

/** @param cause what the client gave as its error; undefined where the connection just ended. */
export function troubleOf(cause: unknown): Trouble {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (typeof code === "number") return byReason[code] ?? { reason: `the broker gave reason ${code}`, hint: busy };
  if (typeof code === "string") return byCode[code] ?? { reason: code, hint: network };
  if (cause instanceof Error && cause.message === "connack timeout") {
    return { reason: "it does not answer as an MQTT broker does", hint: "check host and port in broker.url" };
  }
  return { reason: cause instanceof Error ? cause.message : "it closed the connection without a word", hint: busy };
}

/** What the broker's DISCONNECT says (MQTT 5). */
export const troubleOfReason = (code: number): Trouble =>
  byReason[code] ?? { reason: `the broker gave reason ${code}`, hint: busy };

/** Whether a broker that did not accept our CONNECT may have minded its version of MQTT: it can say so, or hang up. */
export type VersionRefused = "said" | "likely" | "no";

/** @param cause as for {@link troubleOf}. */
export function versionRefusal(cause: unknown): VersionRefused {
  if (cause === undefined) return "likely";
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === 1 || code === 132) return "said";
  return code === "ECONNRESET" || code === "EPIPE" ? "likely" : "no";
}
