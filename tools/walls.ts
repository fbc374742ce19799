/** Refuses imports that climb the house: between the layers of oauth-core, and between packages. */
import { posix } from "node:path";
import {
  type Finding,
  type Import,
  importsOf,
  isTest,
  type Manifest,
  manifestOf,
  packageFolders,
  relativeTarget,
  report,
  type Source,
  sourcesBelow,
} from "./sources.ts";

const core = "packages/oauth-core/src/";

/** What each layer of oauth-core may import beside itself. Files at the root may import everything. */
const layers: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  state: ["protocol"],
  domain: ["protocol", "state"],
  upstream: ["protocol", "domain"],
  pages: ["protocol"],
  transport: ["protocol"],
  endpoints: ["protocol", "domain", "pages", "transport"],
};

/** The builtins that compute and touch nothing, which is all that protocol may use. */
const pureBuiltins = ["node:buffer", "node:crypto"];

/** The one root file that every layer may import; it imports nothing itself. */
const runtime = `${core}runtime.ts`;

/** Every import of a package's sources that it should not have; tests are exempt. */
export function breaches(folder: string, manifest: Manifest, sources: readonly Source[]): Finding[] {
  return sources
    .filter((source) => !isTest(source.path))
    .flatMap((source) =>
      importsOf(source).flatMap((imported) => {
        const problem = packageBreach(folder, manifest, source, imported) ?? coreBreach(source, imported);
        return problem ? [{ path: source.path, line: imported.line, problem }] : [];
      }),
    );
}

/** A package reaches others by name, and by names that its manifest declares. */
function packageBreach(folder: string, manifest: Manifest, source: Source, { specifier }: Import): string | undefined {
  const target = relativeTarget(source, specifier);
  if (target) return target.startsWith(`${folder}/`) ? undefined : `${specifier} leaves the package`;
  if (specifier.startsWith("node:") || manifest.private) return undefined;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
  return name in declared || name === manifest.name ? undefined : `${name} is not a dependency of ${manifest.name}`;
}

function coreBreach(source: Source, { specifier, names }: Import): string | undefined {
  if (!source.path.startsWith(core)) return undefined;
  if (source.path === runtime) return "runtime.ts imports nothing, so that every layer may know it";

  const layer = layerOf(source.path);
  if (layer === "") return undefined;
  const allowed = layers[layer];
  if (!allowed) return `${layer} is not a layer of the house`;

  const target = relativeTarget(source, specifier);
  if (!target)
    return layer === "protocol" && !pureBuiltins.includes(specifier) ? `protocol imports ${specifier}` : undefined;
  if (target === runtime) return undefined;
  const reached = layerOf(target);
  if (reached !== layer && !allowed.includes(reached))
    return `${layer} imports ${reached || "a root file"} (${specifier})`;

  // "Storage" is a word that only state knows; the other layers see collections.
  const storage = layer === "state" ? undefined : names.find((name) => /Storage/.test(name));
  return storage ? `${layer} imports ${storage}, a word of state` : undefined;
}

function layerOf(path: string): string {
  const [layer = "", ...rest] = posix.relative(core, path).split("/");
  return rest.length > 0 ? layer : "";
}

if (import.meta.main) {
  const findings = packageFolders("packages").flatMap((folder) =>
    breaches(folder, manifestOf(folder), sourcesBelow(`${folder}/src`)),
  );
  report("walls", findings);
}
