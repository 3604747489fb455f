/** A mistake that must not go unnoticed, as an edit of one source file. */
export interface NamedMutant {
  readonly name: string;
  readonly file: string;
  /** What is there once, and once only, and what comes in its place; one after the other. */
  readonly edits: readonly (readonly [find: string, replace: string])[];
  /** Each of them has to fail by it: file and name, or how the name begins. */
  readonly tests: readonly (readonly [file: string, test: string])[];
}

const plan = "test/domain/plan.test.ts";
const placement = "test/domain/placement.test.ts";
const never = "test/sync/never.test.ts";

/** Those that the laws are about. Where a source moves, the edit moves with it: it has to stay the same mistake. */
export const namedMutants: readonly NamedMutant[] = [
  {
    name: "foreign slot overwritten",
    file: "agent/sync/steps.ts",
    edits: [["if (slot !== undefined && !this.#empty.delete(slot)) return false;", ""]],
    tests: [[never, "what the owner has put into a slot stays there"]],
  },
  {
    name: "unreadable taken for empty",
    file: "agent/domain/observe.ts",
    edits: [
      [
        'if (contents.state === "unreadable") {',
        'if (contents.state === "unreadable") { return notThere(placement, slot, now);',
      ],
    ],
    tests: [
      [placement, "a placement is held by read_back only where the lock held the code"],
      [never, "what was sent to a slot that cannot be read since is in doubt"],
    ],
  },
  {
    name: "blind rewrite after silence",
    file: "agent/domain/settle.ts",
    edits: [
      ["belief: { ...placement.belief, slot, inFlight: false },", 'belief: { at: "nowhere", proof: "never_sent" },'],
    ],
    tests: [[never, "a write that was not answered is not sent again before the lock has said what became of it"]],
  },
  {
    name: "failed clear frees the slot",
    file: "agent/domain/settle.ts",
    edits: [
      [
        "return { ...placement, belief: { ...placement.belief, inFlight: false } };",
        'return { ...placement, belief: { at: "nowhere", proof: "acknowledged" } };',
      ],
    ],
    tests: [
      [placement, "a placement is held by read_back only where the lock held the code"],
      [never, "a clear that was not answered leaves the code in the debt"],
    ],
  },
  {
    name: "clear before write on PIN change",
    file: "agent/domain/plan.ts",
    edits: [["if (successors.some((successor) => !full.has(successor.id))) return [];", ""]],
    tests: [
      [plan, "plan() leaves a code in place until its successor is proven"],
      [never, "a new PIN is on the lock before the one before it leaves"],
    ],
  },
  {
    name: "revoke behind grants",
    file: "agent/domain/plan.ts",
    edits: [
      ["...(isRead ? writes : []),", ""],
      ["...leaving.flatMap((placement) => {", "...(isRead ? writes : []), ...leaving.flatMap((placement) => {"],
    ],
    tests: [
      [plan, "plan() takes an obedient lock to what is wanted"],
      [never, "a revoke is carried out before the grants that came with it"],
    ],
  },
  {
    name: "live on a masked read of a changed code",
    file: "agent/domain/observe.ts",
    edits: [["belief.slot === slot && belief.wasEmpty", "belief.slot === slot"]],
    tests: [[placement, "observe() of a masked slot believes a code to be ours only where the slot was empty before"]],
  },
  {
    name: "refusal retried each round",
    file: "agent/domain/plan.ts",
    edits: [
      ['return refusal === undefined || refusal.reason === "full" || refusal.reason === "not_kept";', "return true;"],
    ],
    tests: [
      [plan, "plan() takes an obedient lock to what is wanted"],
      [never, "what the lock has refused it is not sent again"],
    ],
  },
  {
    name: "in-doubt write forgotten at restart",
    file: "agent/domain/placement.ts",
    edits: [
      [
        "{ ...placement, belief: { ...placement.belief, inFlight: false } }",
        '{ ...placement, belief: { at: "nowhere", proof: "never_sent" } }',
      ],
    ],
    tests: [
      [placement, "interrupted() keeps the doubt and ends the waiting"],
      ["test/store/store.test.ts", "interrupt() leaves in doubt what was under way"],
    ],
  },
  {
    name: "late set after clear not seen",
    file: "agent/domain/placement.ts",
    edits: [['belief.at === "nowhere" && late === undefined;', 'belief.at === "nowhere";']],
    tests: [
      [placement, "observe() keeps watch for a write that was not answered, though its code is there"],
      [placement, "a write that turned up does not vouch for an earlier one"],
    ],
  },
];

/** @throws Error where the place of an edit is not there any more, or is there twice. */
export const mutated = (source: string, { name, file, edits }: Pick<NamedMutant, "name" | "file" | "edits">): string =>
  edits.reduce((text, [find, replace]) => {
    const [before, after, ...more] = text.split(find);
    if (before === undefined || after === undefined || more.length > 0) {
      throw new Error(`"${name}" has lost its place: ${file} should have this once: ${find}`);
    }
    return before + replace + after;
  }, source);
