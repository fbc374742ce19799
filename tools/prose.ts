/**
 * Type-checks the TypeScript code blocks of every README and of docs/ against the built packages.
 *
 * A block is a module of its own. What it takes for granted stands in a comment directly above it, which readers don't see:
 * `<!-- given` on a line, then TypeScript, then `-->`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { manifestOf, packageFolders, root } from "./sources.ts";

const block = /(?:^<!-- given\n(?<given>[\s\S]*?)^-->\n+)?^```(?:ts|typescript)\n(?<code>[\s\S]*?)^```$/gm;

/** The blocks of a document, each padded so that its lines keep the numbers that they have in the document. */
export function blocksOf(markdown: string): string[] {
  return [...markdown.matchAll(block)].map((match) => {
    const { given = "", code = "" } = match.groups ?? {};
    const lines = Array.from<string>({ length: markdown.split("\n").length }).fill("");
    const place = (text: string, offset: number) => {
      const first = markdown.slice(0, offset).split("\n").length - 1;
      for (const [index, line] of text.split("\n").entries()) if (line !== "") lines[first + index] = line;
    };
    if (given !== "") place(given, match.index + match[0].indexOf(given));
    place(code, match.index + match[0].lastIndexOf(code, match[0].length - "```".length));
    return lines.join("\n").trimEnd();
  });
}

/** Where a document's blocks are checked, and so whose dependencies they can import: its package's, or those of e2e. */
function homeOf(document: string): string {
  const [folder] = /^(packages|examples)\/[^/]+/.exec(document) ?? [];
  return folder && existsSync(`${root}${folder}/package.json`) ? folder : "packages/e2e";
}

/** The built declarations of every public package, by the names that users import. */
function builtPackages(): Record<string, string[]> {
  return Object.fromEntries(
    packageFolders("packages")
      .map((folder) => ({ folder, manifest: manifestOf(folder) }))
      .filter(({ manifest }) => !manifest.private)
      .flatMap(({ folder, manifest }) =>
        Object.entries((manifest["exports"] ?? {}) as Record<string, { types?: string }>).flatMap(
          ([path, { types }]) => (types ? [[join(manifest.name, path), [join(root, folder, types)]]] : []),
        ),
      ),
  );
}

function check(documents: readonly string[]): number {
  const folders = [...new Set(documents.map((document) => `${homeOf(document)}/.prose`))];
  try {
    for (const folder of folders) mkdirSync(root + folder, { recursive: true });
    const files = documents.flatMap((document) =>
      blocksOf(readFileSync(root + document, "utf8")).map((code, index) => {
        const file = `${homeOf(document)}/.prose/${document.replaceAll("/", "__")}.${index + 1}.ts`;
        writeFileSync(root + file, `${code}\n`);
        return file;
      }),
    );
    console.log(`prose: ${files.length} code blocks in ${documents.length} documents`);
    if (files.length === 0) return 0;

    const project = `${root}${folders[0]}/tsconfig.json`;
    writeFileSync(
      project,
      JSON.stringify({
        extends: join(root, "tsconfig.base.json"),
        compilerOptions: { paths: builtPackages(), noUnusedLocals: false, noUnusedParameters: false },
        files: files.map((file) => root + file),
      }),
    );
    const { status, stdout, error } = spawnSync("tsc", ["-p", project, "--pretty", "false"], {
      cwd: root,
      encoding: "utf8",
    });
    if (error) throw error;
    // `packages/x/.prose/docs__guide.md.2.ts(7,3): error` is `docs/guide.md:7:3: error`.
    const located = stdout.replace(/^\S*\.prose\/(\S+?)\.\d+\.ts\((\d+),(\d+)\)/gm, (_, document, line, column) => {
      return `${String(document).replaceAll("__", "/")}:${line}:${column}`;
    });
    process.stderr.write(located);
    return status ?? 1;
  } finally {
    for (const folder of folders) rmSync(root + folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const documents = globSync(["*.md", "docs/**/*.md", "{packages,examples}/*/*.md"], { cwd: root })
    .filter((document) => existsSync(root + dirname(document)))
    .sort();
  process.exitCode = check(documents);
}
