/** Counts what a test run really did, from the report that vitest writes. */

/** The part of vitest's JSON report that is counted. */
export interface TestReport {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** The totals of a run. A file that failed without a failed test, because it did not load, counts as one failure. */
export function totals(report: TestReport): { passed: number; failed: number; skipped: number } {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const file of report.testResults) {
    const states = file.assertionResults.map(({ status }) => status);
    const failures = states.filter((status) => status === "failed").length;
    passed += states.filter((status) => status === "passed").length;
    failed += file.status === "failed" ? Math.max(failures, 1) : failures;
    skipped += states.filter((status) => status !== "passed" && status !== "failed").length;
  }
  return { passed, failed, skipped };
}
