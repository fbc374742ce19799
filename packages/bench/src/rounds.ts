/** Measuring so that the numbers mean something: contenders take turns within one run, and what counts is the ratio between them. */

/** One way of doing a thing. */
export interface Contender {
  readonly name: string;
  /** Does it once; what is done in `prepare` is not counted. */
  run(): Promise<void> | void;
  prepare?(): Promise<void> | void;
  /** Reads the time that counts, in milliseconds. Default: the clock on the wall. */
  clock?(): Promise<number> | number;
}

/** What one contender took, in milliseconds per run. */
export interface Measured {
  readonly name: string;
  readonly times: readonly number[];
}

/**
 * Lets the contenders take turns, each first as often as any other, so that whatever else the machine is doing hits them alike. The first
 * round warms up and is not counted.
 */
export async function takeTurns(contenders: readonly Contender[], rounds: number): Promise<readonly Measured[]> {
  const times = contenders.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const index = (round + turn) % contenders.length;
      const contender = contenders[index];
      if (contender === undefined) continue;
      await contender.prepare?.();
      const clock = contender.clock ?? (() => performance.now());
      const began = await clock();
      await contender.run();
      const took = (await clock()) - began;
      if (round > 0) times[index]?.push(took);
    }
  }
  return contenders.map(({ name }, index) => ({ name, times: times[index] ?? [] }));
}

/** The middle of a list of numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Round by round, how many times as long one took as the other. */
export function ratios(measured: Measured, baseline: Measured): readonly number[] {
  return measured.times.map((time, round) => time / (baseline.times[round] ?? Number.NaN));
}
