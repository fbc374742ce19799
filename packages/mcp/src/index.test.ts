import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** The packages that a source file loads, and all files that it reaches. */
function loadedBy(file: string, seen = new Set<string>()): readonly string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const source = readFileSync(new URL(file, import.meta.url), "utf8");
  const statements = source.matchAll(/^(?:import|export)(?! type)[^;]*? from "([^"]+)";/gm);
  return [...statements].flatMap(([, specifier = ""]) =>
    specifier.startsWith("./")
      ? loadedBy(specifier, seen)
      : specifier.startsWith("node:")
        ? []
        : [specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/")],
  );
}

test.each([
  ["./index.ts", []],
  ["./v2.ts", ["@modelcontextprotocol/server"]],
  ["./v1.ts", ["@modelcontextprotocol/sdk"]],
  ["./v1-auth.ts", ["@modelcontextprotocol/sdk", "@sallyport/express"]],
  ["./fastmcp.ts", ["fastmcp"]],
])("%s loads the library that it is for, and none of the others", (entry, libraries) => {
  const loaded = new Set(loadedBy(entry));
  loaded.delete("@sallyport/oauth-core");

  expect([...loaded].sort()).toEqual(libraries);
});
