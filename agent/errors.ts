/** Something that an operator has to mend. `hint` says how. */
class OperatorError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: { hint?: string; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }
}

/** The configuration, or what it names, is not as it must be. The daemon does not start. */
export class ConfigError extends OperatorError {
  override readonly name = "ConfigError";
}

/** The database cannot be relied on: the process stops, and nothing unsaved is acknowledged. */
export class StoreError extends OperatorError {
  override readonly name = "StoreError";
}

/** Whether a file system call failed because there is no such file. */
export const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && cause.code === "ENOENT";
