/** One test run for the whole repository: a project per package, found by its folder. */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL(".", import.meta.url));

const projectsIn = (folder: string): string[] =>
  existsSync(`${root}${folder}`)
    ? readdirSync(`${root}${folder}`).filter((name) => existsSync(`${root}${folder}/${name}/package.json`))
    : [];

/** Packages are tested from their source, so that a test run needs no build. Subpath exports have the name of their file. Examples are never built. */
const fromSource = [
  { find: /^@sallyport\/(?!example-)([^/]+)$/, replacement: `${root}packages/$1/src/index.ts` },
  { find: /^@sallyport\/(?!example-)([^/]+)\/([^/]+)$/, replacement: `${root}packages/$1/src/$2.ts` },
];

/** No alias: what a user installs, the built packages. */
const fromBuild: typeof fromSource = [];

/** Tests of single files get half a minute; those that start programs and browsers get a whole one. */
const project = (folder: string, name: string, alias: typeof fromSource) => ({
  extends: true as const,
  resolve: { alias },
  test: {
    name,
    root: `${root}${folder}`,
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    // Properties over hundreds of inputs share two cores with everything else: a limit is for what hangs, not for what is slow today.
    testTimeout: alias === fromBuild ? 60_000 : 30_000,
    hookTimeout: 60_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      ...projectsIn("packages").map((name) =>
        project(`packages/${name}`, name, name === "e2e" ? fromBuild : fromSource),
      ),
      ...projectsIn("examples").map((name) => project(`examples/${name}`, `example-${name}`, fromBuild)),
      project("tools", "tools", fromSource),
    ],
  },
});
