/** A `Response` that costs less on Node.js. */
import type { HandleOptions, Reply } from "@sallyport/oauth-core";

type Init = { readonly status: number; readonly headers: [string, string][] };

/** The `Response` of the moment, of an answer's parts. */
export function responseOf(body: string | null, { status, headers }: Pick<Reply, "status" | "headers">): Response {
  const plain = Object.fromEntries(headers);
  const isPlain = Object.keys(plain).length === headers.length;
  const pairs = () => headers.map(([name, value]): [string, string] => [name, value]);
  return new Response(body, { status, headers: isPlain ? plain : pairs() });
}

/**
 * The `Response` of the moment, with a plain object for its headers where none is repeated: `@hono/node-server` sends that as it is, and
 * makes `Headers` of anything else first. It has replaced the global `Response` by the time that it serves, so that one is looked up late.
 */
export const PlainResponse: NonNullable<HandleOptions["Response"]> = new Proxy(Response, {
  construct: (_, [body, init]: [string | null, Init]) => responseOf(body, init),
});
