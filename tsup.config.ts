/** How every package's JavaScript is built; `tsc` writes the declarations beside it. */
import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

interface Manifest {
  readonly exports?: Readonly<Record<string, string | { readonly default: string }>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/** What a manifest exports or runs as `./dist/name.js` is built from `src/name.ts`. */
const manifest: Manifest = JSON.parse(readFileSync("package.json", "utf8"));
const built = [
  ...Object.values(manifest.exports ?? {}).map((target) => (typeof target === "string" ? target : target.default)),
  ...Object.values(manifest.bin ?? {}),
];

export default defineConfig({
  entry: [
    ...new Set(
      built
        .filter((target) => target.endsWith(".js"))
        .map((target) => target.replace(/^(\.\/)?dist\/(.+)\.js$/, "src/$2.ts")),
    ),
  ],
  format: "esm",
  platform: "node",
  target: "node22.13",
  sourcemap: true,
  clean: true,
  silent: true,
  // The prefix is what makes `node:sqlite` a module at all.
  removeNodeProtocol: false,
});
