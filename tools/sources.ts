/** The TypeScript sources of the workspace, and what each of them imports. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { type ImportDeclaration, parseSync, type StringLiteral, Visitor } from "oxc-parser";

/** The repository's root, with a slash at its end. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** A source file as the checks see it. */
export interface Source {
  /** From the repository's root, with forward slashes: `packages/oauth-core/src/index.ts`. */
  readonly path: string;
  readonly text: string;
}

/** One import, re-export, dynamic import or `import("…")` type. */
export interface Import {
  readonly specifier: string;
  /** What is imported by name; empty for namespaces, side effects, and whole-module re-exports. */
  readonly names: readonly string[];
  readonly line: number;
}

/** What a check found wrong, and where. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly problem: string;
}

/** The parts of a package's manifest that the checks read. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

/** The folders of the workspace's packages: `packages/oauth-core`, `examples/demo`, … */
export function packageFolders(...groups: readonly string[]): string[] {
  return groups
    .filter((group) => existsSync(root + group))
    .flatMap((group) => readdirSync(root + group).map((name) => `${group}/${name}`))
    .filter((folder) => existsSync(`${root}${folder}/package.json`))
    .sort();
}

/** Reads the manifest of the package in a folder. */
export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8")) as Manifest;
}

/** Every TypeScript file below a folder, builds and dependencies left out. */
export function sourcesBelow(folder: string): Source[] {
  if (!existsSync(root + folder)) return [];
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return /^(node_modules|dist|\..*)$/.test(entry.name) ? [] : sourcesBelow(path);
    return entry.name.endsWith(".ts") ? [{ path, text: readFileSync(root + path, "utf8") }] : [];
  });
}

/** Whether a file holds tests, which may import whatever they test with. */
export function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

/** Everything that a file imports, types counted. */
export function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  const note = (from: StringLiteral | null, names: readonly string[]) => {
    if (from) found.push({ specifier: from.value, names, line: lineAt(source.text, from.start) });
  };
  new Visitor({
    ImportDeclaration: (node) => note(node.source, importedNames(node)),
    ExportNamedDeclaration: (node) =>
      note(
        node.source,
        node.specifiers.map(({ local }) => ("name" in local ? local.name : local.value)),
      ),
    ExportAllDeclaration: (node) => note(node.source, []),
    TSImportType: (node) => note(node.source, []),
    ImportExpression: (node) => {
      if (node.source.type === "Literal" && typeof node.source.value === "string") note(node.source, []);
    },
  }).visit(parsed(source).program);
  return found;
}

/** Where a relative import leads, as a path from the repository's root. */
export function relativeTarget(source: Source, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(source.path), specifier) : undefined;
}

/** Parses a file; a file that does not parse fails the check that asked, because it would pass unread. */
export function parsed(source: Source): ReturnType<typeof parseSync> {
  const result = parseSync(source.path, source.text);
  if (result.errors[0]) throw new SyntaxError(`${source.path}: ${result.errors[0].message}`);
  return result;
}

/** The line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Prints what a check found, and makes the process fail where that is anything. */
export function report(check: string, findings: readonly Finding[]): void {
  for (const { path, line, problem } of findings) console.error(`${path}:${line}: ${problem}`);
  console.log(findings.length === 0 ? `${check}: nothing found.` : `${check}: ${findings.length} found.`);
  if (findings.length > 0) process.exitCode = 1;
}

function importedNames(node: ImportDeclaration): string[] {
  return node.specifiers.flatMap((specifier) => {
    if (specifier.type !== "ImportSpecifier") return [];
    return ["name" in specifier.imported ? specifier.imported.name : specifier.imported.value];
  });
}
