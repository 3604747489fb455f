import type { Machine } from "./machine.ts";
import { type Measured, numbersOf } from "./table.ts";

const begin = "<!-- results -->";
const end = "<!-- end of results -->";

/** A page with the table of a run in the place of the one before. */
export function pageWith(page: string, machine: string, measured: readonly Measured[]): string {
  const [head, tail] = [page.split(begin)[0], page.split(end)[1]];
  if (head === undefined || tail === undefined || head === page) throw new Error(`the page has no ${begin} … ${end}`);
  const rows = measured.map(({ result, unit }) => {
    const { latchd, reference, ratio } = numbersOf(result, unit);
    const cells = [result.name, latchd, reference, ratio, result.goal, result.met ? "yes" : "**no**"];
    return `| ${cells.join(" | ")} |`;
  });
  const whys = measured.flatMap(({ result: { name, why } }) => (why === "" ? [] : [`- *${name}*: ${why}`]));
  const heads = ["| row | latchd | reference | ratio | goal | met |", "| --- | --- | --- | --- | --- | --- |"];
  const text = [machine, [...heads, ...rows].join("\n"), ...(whys.length > 0 ? [whys.join("\n")] : [])].join("\n\n");
  return `${head}${begin}\n\n${text}\n\n${end}${tail}`;
}

/** What a run was measured on, for people. */
export const wordsOf = ({ cpu, cores, memory, node, disk, isDisk, fsync }: Machine): readonly string[] => [
  `${cpu}, ${cores} cores, ${memory}, Node ${node}`,
  `data directories on ${disk}${isDisk ? "" : ", WHICH IS NO DISK"}: fsync p50 ${fsync.p50} ms, p99 ${fsync.p99} ms`,
];
