/** What one round found: of latchd, and of what it is compared with where there is such a thing. */
export interface Pair {
  readonly latchd: number;
  readonly reference?: number;
}
/** By the name that the row has in `goals.json`. */
type Round = Readonly<Record<string, Pair>>;

export interface BenchContext {
  /** Under a minute for all benches together: fewer rounds and smaller sizes. */
  readonly quick: boolean;
  /** On a disk: every data directory lies in it. */
  readonly folder: string;
  /** Says what is being done, on stderr. */
  readonly progress: (text: string) => void;
  /** The p99 delay of an agent's event loop during a row, in milliseconds. */
  readonly delayed: (during: string, ms: number) => void;
  /** What a reader has to know of a row beside its numbers. */
  readonly note: (row: string, text: string) => void;
  /** A reference cannot be had here: its row is not met, and says so. */
  readonly missing: (row: string, why: string) => void;
}

/** One or several rows of the table that are measured together. */
export interface Bench {
  /** For `--only`. */
  readonly name: string;
  readonly rows: readonly string[];
  /**
   * With what it may run at the same time. `nothing`: it measures fractions of a millisecond. `others that wait`: it waits most of
   * its time, for a wire or for nothing. Left out: with nothing, but where one wants to know quickly.
   */
  readonly beside?: "nothing" | "others that wait" | "others that wait, quickly";
  /** Of the numbers that it gives. */
  readonly unit: Readonly<Record<string, string>>;
  /** What it needs is started before the first round, and ended after the last. */
  rounds(context: BenchContext): AsyncGenerator<Round>;
}
