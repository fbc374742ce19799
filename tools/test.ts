/** The root test: builds, checks and tests everything, and closes with the true totals of the tests that ran. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { root } from "./sources.ts";
import { type TestReport, totals } from "./totals.ts";
import { turbo } from "./turbo.ts";

const checks = [
  "check",
  "//#lint",
  "//#check:tools",
  "//#check:walls",
  "//#check:cycles",
  "//#check:suppressions",
  "//#check:traces",
  "//#check:packed",
  "//#check:prose",
];
const reportFile = `${root}.reports/vitest.json`;
const began = Date.now();

const names = checks.map((check) => (check === "check" ? "types" : check.replace(/^\/\/#(check:)?/, "")));
console.log(`Checks: build, ${names.join(", ")}`);
// The packages are built first: packed and prose look at what was built, and turbo knows no order between root and packages.
const built = turbo(["build"]);
const checked = turbo([...checks, "--continue"]) && built;

console.log("\nTests: every package from its source, then e2e and examples against the built packages");
rmSync(reportFile, { force: true });
const tests = spawnSync(
  "vitest",
  ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`, ...process.argv.slice(2)],
  { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
);
if (tests.error) throw tests.error;

const { passed, failed, skipped } = existsSync(reportFile)
  ? totals(JSON.parse(readFileSync(reportFile, "utf8")) as TestReport)
  : { passed: 0, failed: 0, skipped: 0 };
const green = checked && tests.status === 0 && failed === 0 && passed > 0;

console.log(`\nChecks: ${checked ? "passed" : "FAILED, see above"}`);
console.log(`Tests: ${tests.status === 0 && passed > 0 ? "passed" : "FAILED, see above"}`);
console.log(`Took ${Math.round((Date.now() - began) / 1000)} s`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
if (!green) process.exitCode = 1;
