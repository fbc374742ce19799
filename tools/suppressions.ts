/** Refuses what silences a check: suppression comments and `any`. */
import { Visitor } from "oxc-parser";
import { type Finding, lineAt, packageFolders, parsed, report, type Source, sourcesBelow } from "./sources.ts";

const suppression =
  /@ts-(ignore|expect-error|nocheck)|(biome|eslint|oxlint|prettier|c8|v8|istanbul)[- ](ignore|disable)/;

/** Every suppression comment and every `any` of a file. */
export function suppressions(source: Source): Finding[] {
  const { program, comments } = parsed(source);
  const findings: Finding[] = [];
  const note = (offset: number, problem: string) =>
    findings.push({ path: source.path, line: lineAt(source.text, offset), problem });
  for (const comment of comments) {
    const [words] = suppression.exec(comment.value) ?? [];
    if (words) note(comment.start, `the suppression ${words}`);
  }
  new Visitor({ TSAnyKeyword: (node) => note(node.start, "any") }).visit(program);
  return findings;
}

if (import.meta.main) {
  const folders = [...packageFolders("packages", "examples"), "tools"];
  report("suppressions", folders.flatMap((folder) => sourcesBelow(folder)).flatMap(suppressions));
}
