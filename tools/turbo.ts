/** Runs turbo tasks without telemetry. `--quiet` keeps their output back unless one fails. */
import { spawnSync } from "node:child_process";
import { root } from "./sources.ts";

/** Runs the tasks and says whether all of them passed. */
export function turbo(tasks: readonly string[], { quiet = false } = {}): boolean {
  const { status, stdout, stderr, error } = spawnSync("turbo", ["run", ...tasks, "--log-order=grouped"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw error;
  if (quiet && status !== 0) process.stderr.write(stdout + stderr);
  return status === 0;
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const passed = turbo(
    args.filter((arg) => arg !== "--quiet"),
    { quiet: args.includes("--quiet") },
  );
  if (!passed) process.exitCode = 1;
}
