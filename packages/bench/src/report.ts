/** Prints results: median and range, beside the target that they are held to. */

import { cpus, totalmem } from "node:os";
import { median } from "./rounds.ts";

/** One line of the report. */
export interface Result {
  readonly what: string;
  /** One value a round. */
  readonly values: readonly number[];
  readonly unit: "×" | "µs" | "ms";
  /** The most that the median may be; none where it is only told. */
  readonly target?: number | undefined;
}

/** The machine and the versions: without them a number says nothing. */
export function printMachine(): void {
  const [cpu] = cpus();
  console.log(
    `${cpu?.model ?? "unknown processor"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`,
  );
  console.log(`Node.js ${process.versions.node}, SQLite ${process.versions.sqlite ?? "unknown"}\n`);
}

/** Prints a result, and says whether it keeps its target. */
export function print({ what, values, unit, target }: Result): boolean {
  const middle = median(values);
  const kept = target === undefined || middle <= target;
  const range = `${show(Math.min(...values))} to ${show(Math.max(...values))}`;
  const held =
    target === undefined ? "" : kept ? `  (at most ${target} ${unit})` : `  MISSED: at most ${target} ${unit}`;
  console.log(`${what.padEnd(64)} ${show(middle).padStart(8)} ${unit.padEnd(2)}  [${range}]${held}`);
  return kept;
}

function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}
