/** Which HTTP framework serves, chosen by the variable ADAPTER: each puts the same site into one listener. */
import { EnvironmentError } from "./configuration.ts";
import type { Adapter } from "./site.ts";

/** How to load each. Only the one that was chosen is loaded: the others cost no start their time. */
const ADAPTERS = new Map<string, () => Promise<Adapter>>([
  ["node-http", async () => (await import("./adapters/node-http.ts")).onNodeHttp],
  ["express", async () => (await import("./adapters/express.ts")).onExpress],
  ["koa", async () => (await import("./adapters/koa.ts")).onKoa],
  ["fastify", async () => (await import("./adapters/fastify.ts")).onFastify],
  ["hono", async () => (await import("./adapters/hono.ts")).onHono],
  ["fetch", async () => (await import("./adapters/fetch.ts")).onFetch],
]);

/**
 * The framework that a setting such as `node-http` names.
 *
 * @throws {EnvironmentError} (as a rejection) for one that this server does not know
 */
export async function adapterOf(setting: string): Promise<Adapter> {
  const load = ADAPTERS.get(setting);
  if (load === undefined) throw new EnvironmentError([`ADAPTER: has to be one of ${[...ADAPTERS.keys()].join(", ")}`]);
  return load();
}
