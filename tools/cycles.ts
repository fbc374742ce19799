/** Refuses import cycles over all packages, type imports counted. */
import { importsOf, packageFolders, relativeTarget, report, type Source, sourcesBelow } from "./sources.ts";

/** Each knot of files that import one another, found with Tarjan's algorithm. */
export function cycles(sources: readonly Source[]): string[][] {
  const graph = new Map(sources.map((source) => [source.path, new Set<string>()]));
  for (const source of sources) {
    for (const { specifier } of importsOf(source)) {
      const target = relativeTarget(source, specifier) ?? workspaceTarget(specifier);
      if (target && graph.has(target)) graph.get(source.path)?.add(target);
    }
  }

  const knots: string[][] = [];
  const stack: string[] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();

  const visit = (path: string): number => {
    const index = order.size;
    order.set(path, index);
    lowest.set(path, index);
    stack.push(path);
    for (const next of graph.get(path) ?? []) {
      const reached = order.has(next) ? (stack.includes(next) ? order.get(next) : undefined) : visit(next);
      lowest.set(path, Math.min(lowest.get(path) ?? index, reached ?? index));
    }
    const low = lowest.get(path) ?? index;
    if (low === index) {
      const knot = stack.splice(stack.indexOf(path));
      if (knot.length > 1 || graph.get(path)?.has(path)) knots.push(knot);
    }
    return low;
  };
  for (const path of graph.keys()) if (!order.has(path)) visit(path);
  return knots;
}

/** A package's name leads to its source, as in the tests: `@sallyport/x/y` to `packages/x/src/y.ts`. */
function workspaceTarget(specifier: string): string | undefined {
  const [, name, subpath = "index"] = /^@sallyport\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? [];
  return name && `packages/${name}/src/${subpath}.ts`;
}

if (import.meta.main) {
  const sources = packageFolders("packages", "examples").flatMap((folder) => sourcesBelow(`${folder}/src`));
  const findings = cycles(sources).map((knot) => ({
    path: knot[0] ?? "",
    line: 1,
    problem: `imports itself by way of ${knot.slice(1).join(", ") || "nothing else"}`,
  }));
  report("cycles", findings);
}
