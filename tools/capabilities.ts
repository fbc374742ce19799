/**
 * Writes the table of what each adapter is tried with into the README: `node --import ./tools/from-source.ts tools/capabilities.ts`.
 *
 * It is made of the tables that the adapters' own tests run, so that it says nothing which they do not hold: a clause that is broken fails
 * there, and so does a waiver that nobody needs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { manifestOf, root } from "./sources.ts";

/** The part of an adapter's `test/tried.ts` that is told. */
interface Tried {
  readonly framework: string;
  readonly module?: string;
  readonly remark?: string;
  readonly waivers?: Readonly<Record<string, string>>;
}

interface Tables {
  readonly tried: readonly Tried[];
}

/** The contract that they are all held to, and the storages of their journeys. */
interface Trials {
  readonly adapterContract: readonly unknown[];
  readonly STORAGES: readonly string[];
}

const BEGIN = "<!-- capabilities: written by tools/capabilities.ts -->\n";
const END = "<!-- end of capabilities -->";
const README = `${root}README.md`;

const ADAPTERS = ["node-http", "express", "koa", "fastify", "hono"];

/** The table, as Markdown. */
export async function capabilities(): Promise<string> {
  const { adapterContract, STORAGES }: Trials = {
    ...(await import(`${root}packages/contracts/src/adapters.ts`)),
    ...(await import(`${root}packages/contracts/test/tried.ts`)),
  };
  const rows: string[] = [];
  for (const name of ADAPTERS) {
    const { tried }: Tables = await import(`${root}packages/${name}/test/tried.ts`);
    rows.push(rowOf(name, tried, contractIn(tried, adapterContract.length), STORAGES));
  }
  const { tried }: Tables = await import(`${root}packages/contracts/test/fetch-function.ts`);
  rows.push(rowOf("oauth-core", tried, "there is no adapter", STORAGES));
  return [
    "| mounted by | tried with | adapter contract | whole journey, with its state in |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

function rowOf(name: string, tried: readonly Tried[], contract: string, storages: readonly string[]): string {
  const folder = `packages/${name}`;
  const versions = new Map<string, string[]>();
  for (const { framework, module } of tried) {
    const known = versions.get(framework) ?? [];
    versions.set(framework, [...new Set([...known, versionOf(module === undefined ? "" : folder, module ?? "node")])]);
  }
  const frameworks = [...versions].map(([framework, each]) => `${framework} ${each.join(", ")}`);
  return `| [\`${manifestOf(folder).name}\`](${folder}/README.md) | ${frameworks.join("; ")} | ${contract} | ${storages.join(", ")} |`;
}

/** How many clauses are kept, and why not the others. */
function contractIn(tried: readonly Tried[], clauses: number): string {
  const waivers = [...new Map(tried.flatMap((one) => Object.entries(one.waivers ?? {})))];
  const kept = waivers.length === 0 ? `all ${clauses} clauses` : `${clauses - waivers.length} of ${clauses} clauses`;
  return [kept, ...waivers.map(([id, reason]) => `not \`${id}\`: ${reason}`)].join("; ");
}

/** The version that is installed beside a package, or in the root. */
function versionOf(folder: string, module: string): string {
  const { version } = manifestOf(`${folder}/node_modules/${module}`.replace(/^\//, ""));
  return String(version);
}

/** What stands in the README between its marks. */
export function tableIn(readme: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin === -1 || end === -1) throw new Error("The README has no place for the table of capabilities.");
  return readme.slice(begin + BEGIN.length, end);
}

if (import.meta.main) {
  const readme = readFileSync(README, "utf8");
  writeFileSync(README, readme.replace(BEGIN + tableIn(readme), BEGIN + (await capabilities())));
}
