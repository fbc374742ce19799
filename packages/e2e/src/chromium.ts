/** A real Chromium: where it is, how it is started, and what to do where there is none. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** What to tell people who have none. */
export const HOW_TO_GET_CHROMIUM =
  "Chromium is not installed: apt-get install chromium, or put `chromium` on the PATH.";

function installed(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin"];
  return folders.map((folder) => join(folder, "chromium")).find((path) => existsSync(path));
}

/** Where root may install packages, on Debian and its kin, it is installed. */
function install(): void {
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]]) {
    const { status } = spawnSync("apt-get", args, { env, stdio: "ignore" });
    if (status !== 0) return;
  }
}

/**
 * The path of Chromium, which is installed first where that can be done; undefined where there is none.
 *
 * @throws where there is none and `CI` is set, for there a suite that does not run must not pass for one that does
 */
export function findChromium(): string | undefined {
  if (installed() === undefined) install();
  const path = installed();
  if (path === undefined && process.env.CI) throw new Error(HOW_TO_GET_CHROMIUM);
  return path;
}

/** Starts it without a window and without a past, and keeps it from talking to anybody of its own accord. */
export async function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
