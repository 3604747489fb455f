import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { ConfigError, isMissing } from "../errors.ts";

const keyBytes = 32;

/**
 * The key that seals the secrets of a database: 64 hexadecimal digits in a file. Made once, for a new database; never made
 * anew for one that has secrets sealed with another.
 *
 * @param isNew whether the database is new.
 * @throws ConfigError where the key is lost, unreadable, or no key.
 */
export function readKey(file: string, isNew: boolean): Buffer {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (cause) {
    if (!isMissing(cause)) throw new ConfigError(`The key file ${file} cannot be read`, { cause });
    if (!isNew) {
      throw new ConfigError(
        `The key file ${file} is missing, and the codes in the database cannot be opened without it`,
        {
          hint: "restore it from the backup, or name it in the setting key_file; to begin anew, remove the data directory",
        },
      );
    }
    return makeKey(file);
  }
  if (!/^[0-9a-fA-F]{64}$/.test(text)) {
    throw new ConfigError(`The key file ${file} does not hold a key: 64 hexadecimal digits are expected`, {
      hint: "restore it from the backup; for a new one: openssl rand -hex 32",
    });
  }
  // A credential that systemd hands over is readable by its group, which is the service's own.
  if ((statSync(file).mode & 0o027) !== 0) {
    throw new ConfigError(`The key file ${file} can be read by others`, { hint: `chmod 600 ${file}` });
  }
  return Buffer.from(text, "hex");
}

/** Whole or not at all: half a key would be in the way of every later start. */
function makeKey(file: string): Buffer {
  const key = randomBytes(keyBytes);
  const whole = `${file}.new`;
  try {
    const handle = openSync(whole, "w", 0o600);
    try {
      writeSync(handle, `${key.toString("hex")}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(whole, file);
  } catch (cause) {
    throw new ConfigError(`The key file ${file} cannot be written`, {
      hint: "the setting key_file must name a file in a directory that this user may write to",
      cause,
    });
  }
  return key;
}
