/** Where a connection came from, on the one runtime that says so in a way of its own. */
import type { Context } from "hono";

/**
 * The address of the socket, as `@hono/node-server` hands it over in the environment; `undefined` on any other runtime.
 *
 * No header is read here: whoever connects could write one, and be somebody else with every guess.
 */
export function socketAddress({ env }: Context): string | undefined {
  const address = member(member(member(env, "incoming"), "socket"), "remoteAddress");
  return typeof address === "string" ? address : undefined;
}

/** The environment is the runtime's, and may be anything, or missing. */
function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
