/** Servers don't outlive the processes that have started them. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { installedPostgres, installedRedis } from "./installation.ts";
import { until } from "./until.ts";

const PAUSER = fileURLToPath(new URL("../test/pauser.ts", import.meta.url));

/** The processes that work in a folder, or below it. */
function workingIn(folder: string): readonly string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && placeOf(name)?.startsWith(folder));
}

/** The folder that a process works in; `undefined` for one that has ended. */
function placeOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOENT", "ESRCH", "EACCES"].includes(String(error.code)))
      return undefined;
    throw error;
  }
}

const SERVERS = [
  ["Redis", (await installedRedis()) !== undefined],
  ["PostgreSQL", (await installedPostgres()) !== undefined],
] as const;

describe.skipIf(!existsSync("/proc/self/cwd")).each(SERVERS)("%s", (kind, installed) => {
  test.skipIf(!installed).each(["SIGTERM", "SIGKILL"] as const)(
    "a server is not left behind, even while it is paused, when the whole group of processes that it belongs to gets %s",
    { timeout: 60_000 },
    async (signal) => {
      const folder = mkdtempSync(join(tmpdir(), "sallyport-group-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      // PostgreSQL may run as another user.
      chmodSync(folder, 0o755);
      const leader = spawn(process.execPath, ["--no-warnings", PAUSER, kind], {
        detached: true,
        env: { ...process.env, TMPDIR: folder },
        stdio: ["pipe", "pipe", "inherit"],
      });
      onTestFinished(() => void leader.kill("SIGKILL"));
      await once(leader.stdout, "data");
      expect(workingIn(folder)).not.toEqual([]);

      process.kill(-Number(leader.pid), signal);
      await until("nobody works there any more", () => workingIn(folder).length === 0);
    },
  );
});
