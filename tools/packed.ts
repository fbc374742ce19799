/** Checks every public package as its user gets it: the packed tarball, with publint and @arethetypeswrong/cli. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { type Manifest, manifestOf, packageFolders, root } from "./sources.ts";

/** What a package lacks of being complete, judged by its manifest and by the paths in its tarball. */
export function incompleteness(manifest: Manifest, files: readonly string[]): string[] {
  const expected: Readonly<Record<string, unknown>> = {
    type: "module",
    license: "MIT",
    sideEffects: false,
    engines: { node: ">=22.13" },
    publishConfig: { access: "public" },
  };
  const wrong = Object.entries(expected)
    .filter(([member, value]) => JSON.stringify(manifest[member]) !== JSON.stringify(value))
    .map(([member, value]) => `package.json: ${member} is not ${JSON.stringify(value)}`);
  const missing = ["description", "exports", "files"].filter((member) => !(member in manifest));
  const links = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies }).filter(([, range]) =>
    range.startsWith("workspace:"),
  );
  return [
    ...wrong,
    ...missing.map((member) => `package.json: ${member} is missing`),
    ...links.map(([name]) => `package.json: ${name} is still a workspace link`),
    ...["README.md", "LICENSE"].filter((file) => !files.includes(file)).map((file) => `${file} is not in the tarball`),
    ...files.filter((file) => /\.test\.|^src\//.test(file)).map((file) => `${file} does not belong in the tarball`),
  ];
}

/** The entries of a package that are read and not imported, such as a file of SQL: they have no types that could resolve. */
export function dataEntries(manifest: Manifest): string[] {
  return Object.entries((manifest["exports"] ?? {}) as Record<string, unknown>).flatMap(([entry, target]) =>
    typeof target === "string" && !/\.(js|json)$/.test(target) ? [entry] : [],
  );
}

/** Packs a package and returns everything that is wrong with the result. */
async function problemsOf(folder: string, destination: string): Promise<string[]> {
  const tarball = pack(folder, destination);
  const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
  const packedManifest = execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" });
  const manifest = JSON.parse(packedManifest) as Manifest;
  const problems = incompleteness(
    manifest,
    files.map((file) => file.replace(/^package\//, "")),
  );

  const { messages, pkg } = await publint({
    pack: { tarball: Uint8Array.from(readFileSync(tarball)).buffer },
    strict: true,
  });
  problems.push(...messages.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`));

  const data = dataEntries(manifest);
  const excluded = data.length === 0 ? [] : ["--exclude-entrypoints", ...data];
  const args = [tarball, "--profile", "esm-only", "--no-color", "--no-emoji", ...excluded];
  const attw = spawnSync("attw", args, { encoding: "utf8" });
  if (attw.error) throw attw.error;
  if (attw.status !== 0) problems.push(`attw: ${attw.stdout}${attw.stderr}`);
  return problems;
}

/** Packs with the pnpm that runs this script, so that workspace links become versions. */
function pack(folder: string, destination: string): string {
  const pnpm = process.env["npm_execpath"] ?? "pnpm";
  const runsByNode = /\.[cm]?js$/.test(pnpm);
  const args = ["pack", "--json", "--pack-destination", destination];
  const output = execFileSync(runsByNode ? process.execPath : pnpm, runsByNode ? [pnpm, ...args] : args, {
    cwd: root + folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { filename } = JSON.parse(output.slice(output.indexOf("{"))) as { filename: string };
  return filename;
}

if (import.meta.main) {
  const destination = mkdtempSync(join(tmpdir(), "sallyport-packed-"));
  try {
    for (const folder of packageFolders("packages").filter((path) => !manifestOf(path).private)) {
      const problems = await problemsOf(folder, destination);
      for (const problem of problems) console.error(`${folder}: ${problem}`);
      console.log(`packed: ${folder}: ${problems.length === 0 ? "nothing found." : `${problems.length} found.`}`);
      if (problems.length > 0) process.exitCode = 1;
    }
  } finally {
    rmSync(destination, { recursive: true });
  }
}
