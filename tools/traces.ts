/** Refuses what a machine leaves behind in files that are committed: its paths, and the hosts of package registries. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { type Finding, report, root, type Source } from "./sources.ts";

const traces: readonly { readonly pattern: RegExp; readonly problem: string; readonly only?: string }[] = [
  { pattern: /(?<![\w.-])\/(work|tmp|root|home\/\w+|Users\/\w+)\/[\w.-]/, problem: "a machine's path" },
  { pattern: /\bregistry\.(npmjs|yarnpkg|npmmirror)\.\w+/, problem: "a registry's host" },
  { pattern: /\b_authToken\b|^\s*(@[\w-]+:)?registry\s*=/m, problem: "a registry's settings" },
  // A lock file that names tarballs by address installs from one machine's registry alone.
  { pattern: /\bhttps?:\/\/|\btarball:/, problem: "an address in the lock file", only: "pnpm-lock.yaml" },
];

/** Every trace in one file, a line at a time. */
export function tracesIn({ path, text }: Source): Finding[] {
  const applicable = traces.filter(({ only }) => only === undefined || only === path);
  return text
    .split("\n")
    .flatMap((content, index) =>
      applicable.flatMap(({ pattern, problem }) => (pattern.test(content) ? [{ path, line: index + 1, problem }] : [])),
    );
}

if (import.meta.main) {
  // This file and its test have to spell out what they look for.
  const exempt = /^tools\/traces(\.test)?\.ts$/;
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  // The index may still list a file that the working tree has already lost.
  const present = (path: string) => path !== "" && existsSync(root + path);
  const paths = [...new Set(listed.split("\0"))].filter((path) => present(path) && !exempt.test(path));
  report(
    "traces",
    paths.flatMap((path) => tracesIn({ path, text: readFileSync(root + path, "utf8") })),
  );
}
