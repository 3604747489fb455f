import { Secret } from "../domain/secret.ts";
import type { ReadFile, Report } from "./broker.ts";
import { isLoopback } from "./loopback.ts";
import type { HttpShape } from "./shape.ts";

/** The HTTP door. */
export interface Http {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: Secret };
}

/** The HTTP door as the configuration means it; undefined where there is none. What is wrong goes to `report`. */
export function resolveHttp(shape: HttpShape, read: ReadFile, report: Report): Http | undefined {
  if (shape === "off") return undefined;
  const { host, port, tls, unencrypted_beyond_this_machine: inClear } = shape;
  if (tls) return { host, port, ...secured(shape, read, report) };
  if (!isLoopback(host) && !inClear) {
    const text = `${host} is reached from other machines, and without TLS whoever is on the network reads the keys: ${cures}`;
    report({ path: ["http", "host"], text });
  }
  return { host, port };
}

const cures =
  "set http.tls to true with http.cert_file and http.key_file, or listen on 127.0.0.1, or set http.unencrypted_beyond_this_machine to true";

/** Files are read only with `tls`, so that it can be switched off and on with them in place. */
function secured(
  { cert_file: certFile, key_file: keyFile }: Exclude<HttpShape, "off">,
  read: ReadFile,
  report: Report,
): Pick<Http, "tls"> {
  const pem = (option: string, file: string | undefined): string | undefined => {
    if (file === undefined) report({ path: ["http", option], text: "is missing: http.tls needs it" });
    const text = file === undefined ? undefined : read(option, file);
    if (text === undefined || text.includes("-----BEGIN ")) return text;
    report({ path: ["http", option], text: "is not a PEM file: it has no -----BEGIN line" });
    return undefined;
  };
  const cert = pem("cert_file", certFile);
  const key = pem("key_file", keyFile);
  return cert === undefined || key === undefined ? {} : { tls: { cert, key: new Secret(key) } };
}
