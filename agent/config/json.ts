/** Where and why a text is not JSON. `line` and `column` count from 1. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  readonly problem: string;
}

/**
 * The first place where a text stops being JSON (RFC 8259), or undefined where it is.
 *
 * `JSON.parse` tells the place in some of its messages only, and quotes the text in others.
 */
export function jsonFault(text: string): JsonFault | undefined {
  const scanner = new Scanner(text);
  const found = scanner.value(0) ?? scanner.end();
  if (found === undefined) return undefined;
  const before = text.slice(0, scanner.offset).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1, problem: found };
}

/** Deeper than any configuration, and shallow enough for the stack. */
const deepest = 200;

const space = /[ \t\n\r]*/y;
const string = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const scalar = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** Recursive descent: every method moves on over what it names, or says what is missing and stays. */
class Scanner {
  readonly #text: string;
  offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): string | undefined {
    this.#take(space);
    if (depth > deepest) return "nested too deeply";
    if (this.#takes("{")) return this.#members("}", depth, true);
    if (this.#takes("[")) return this.#members("]", depth, false);
    if (this.#take(string) || this.#take(scalar)) return undefined;
    return this.#unexpected("expected a value");
  }

  end(): string | undefined {
    this.#take(space);
    return this.offset === this.#text.length ? undefined : this.#unexpected("expected nothing more");
  }

  #members(close: string, depth: number, named: boolean): string | undefined {
    this.#take(space);
    if (this.#takes(close)) return undefined;
    for (;;) {
      const problem = (named ? this.#name() : undefined) ?? this.value(depth + 1);
      if (problem) return problem;
      this.#take(space);
      if (this.#takes(close)) return undefined;
      if (!this.#takes(",")) return this.#unexpected(`expected "," or "${close}"`);
      this.#take(space);
      if (this.#text[this.offset] === close) return `no "," is allowed before "${close}"`;
    }
  }

  #name(): string | undefined {
    this.#take(space);
    if (!this.#take(string)) return this.#unexpected("expected a name in double quotes");
    this.#take(space);
    return this.#takes(":") ? undefined : this.#unexpected('expected ":"');
  }

  #unexpected(expected: string): string {
    if (this.offset === this.#text.length) return `${expected}, but the file ends here`;
    const comment = this.#text.startsWith("//", this.offset) || this.#text.startsWith("/*", this.offset);
    return comment ? `${expected}; JSON has no comments` : expected;
  }

  #takes(char: string): boolean {
    if (this.#text[this.offset] !== char) return false;
    this.offset += 1;
    return true;
  }

  #take(token: RegExp): boolean {
    token.lastIndex = this.offset;
    const length = token.exec(this.#text)?.[0].length;
    if (length === undefined) return false;
    this.offset += length;
    return true;
  }
}
