/** Which endpoint is this? Exact paths from configuration, and the rules of HTTP that hold for all of them. RFC 9110 §9.3, §15.5.6. */
import { PUBLIC_CORS, publicPreflight } from "./cors.ts";
import { empty, type Reply, withHeaders } from "./reply.ts";

/** Answers one request. */
export type Handler = (request: Request) => Promise<Reply> | Reply;

/** One path. */
export interface Route {
  readonly path: string;
  readonly methods: Readonly<Partial<Record<"GET" | "POST", Handler>>>;
  /** Whether pages of other origins may use it; never where cookies count. */
  readonly cors: boolean;
}

/** Finds the endpoint of a request by its path alone: `Host` and forwarded headers are a stranger's words. */
export class Router {
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [route.path, route]));
  }

  /** The route of a request, or `undefined` where it is none of ours. */
  find(request: Request): Route | undefined {
    return this.#routes.get(pathOf(request.url));
  }
}

/** Answers a request by its route. */
export async function dispatch(route: Route, request: Request): Promise<Reply> {
  const { method } = request;
  const handler =
    method === "GET" || method === "HEAD" ? route.methods.GET : method === "POST" ? route.methods.POST : undefined;
  const cors = route.cors ? PUBLIC_CORS : [];
  if (handler !== undefined) return withHeaders(await handler(request), cors);
  const allow = [...Object.keys(route.methods), ...(route.methods.GET === undefined ? [] : ["HEAD"]), "OPTIONS"].join(
    ", ",
  );
  if (method === "OPTIONS") return empty(204, [["allow", allow], ...(route.cors ? publicPreflight(allow) : [])]);
  return empty(405, [["allow", allow], ...cors]);
}

/** The path as it was sent. Nothing is normalised: `/oauth/../oauth/token` is not `/oauth/token`. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start === -1) return "/";
  for (let end = start; end < url.length; end++) {
    const character = url[end];
    if (character === "?" || character === "#") return url.slice(start, end);
  }
  return url.slice(start);
}

/** The query as it was sent, without its question mark. */
export function queryOf(url: string): string {
  const [beforeFragment = ""] = url.split("#", 1);
  const start = beforeFragment.indexOf("?");
  return start === -1 ? "" : beforeFragment.slice(start + 1);
}
