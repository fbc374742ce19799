import { expect, test } from "vitest";
import { importsOf, relativeTarget, sourcesBelow } from "../../../tools/sources.ts";
import * as storage from "./storage.ts";

const folder = "packages/oauth-core/src";

/** Every file that loading one file loads, types counted, and every name of a package among their imports. */
function loadedBy(path: string): { files: ReadonlySet<string>; packages: ReadonlySet<string> } {
  const sources = new Map(sourcesBelow(folder).map((source) => [source.path, source]));
  const files = new Set<string>();
  const packages = new Set<string>();
  const load = (file: string): void => {
    const source = sources.get(file);
    if (source === undefined) throw new Error(`${file} is no source of the package`);
    if (files.has(file)) return;
    files.add(file);
    for (const { specifier } of importsOf(source)) {
      const target = relativeTarget(source, specifier);
      if (target === undefined) packages.add(specifier);
      else load(target);
    }
  };
  load(path);
  return { files, packages };
}

test("the entry for authors of storages loads the port and JSON, and nothing of the server", () => {
  const { files, packages } = loadedBy(`${folder}/storage.ts`);
  expect([...files].sort()).toEqual([
    `${folder}/state/json-value.ts`,
    `${folder}/state/token-storage.ts`,
    `${folder}/storage.ts`,
  ]);
  expect([...packages]).toEqual([]);
  // The walk does see what a file loads.
  expect(loadedBy(`${folder}/index.ts`).files).toContain(`${folder}/endpoints/token.ts`);
});

test("it offers what a storage is made with", () => {
  expect(Object.keys(storage).sort()).toEqual(["assertTtl", "isAtomic", "jsonText"]);
});
