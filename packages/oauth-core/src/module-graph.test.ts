import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { importsOf, manifestOf, relativeTarget, root } from "../../../tools/sources.ts";

const FOLDER = "packages/oauth-core";

/** Every file that is loaded with these, and every import of them that leads out of the package, dynamic ones and types included. */
function graphFrom(entries: readonly string[]): { files: ReadonlySet<string>; outside: ReadonlySet<string> } {
  const files = new Set<string>(entries);
  const outside = new Set<string>();
  for (const path of files) {
    const source = { path, text: readFileSync(root + path, "utf8") };
    for (const { specifier } of importsOf(source)) {
      const target = relativeTarget(source, specifier);
      if (target === undefined) outside.add(specifier);
      else files.add(target);
    }
  }
  return { files, outside };
}

test("whatever is imported of the core, nothing is loaded with it but the core and Node.js: no jose, and no other package", () => {
  const manifest = manifestOf(FOLDER);
  expect(manifest.dependencies).toBeUndefined();
  expect(manifest.peerDependencies).toBeUndefined();
  const entries = Object.values(manifest["exports"] as Record<string, { readonly default: string }>)
    .flatMap((target) => target.default ?? [])
    .map((built) => built.replace(/^\.\/dist\/(.+)\.js$/, `${FOLDER}/src/$1.ts`));
  expect(entries).toContain(`${FOLDER}/src/index.ts`);
  const { files, outside } = graphFrom(entries);
  expect(files).toContain(`${FOLDER}/src/domain/signer.ts`);
  expect([...outside].filter((specifier) => !specifier.startsWith("node:"))).toEqual([]);
});
