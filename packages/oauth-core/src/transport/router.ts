/** Which endpoint is this? Exact paths from configuration, and the rules of HTTP that hold for all of them. RFC 9110 §9.3, §15.5.6. */
import { PUBLIC_CORS, publicPreflight } from "./cors.ts";
import { empty, type Reply, withHeaders } from "./reply.ts";

const QUESTION_MARK = 0x3f;
const NUMBER_SIGN = 0x23;

/** Answers one request. The address is the connection's, where it is known. */
export type Handler = (request: Request, clientAddress?: string) => Promise<Reply> | Reply;

/** One path. */
export interface Route {
  readonly path: string;
  /** What answers: a handler, or always the same reply. */
  readonly methods: Readonly<Partial<Record<"GET" | "POST", Handler | Reply>>>;
  /** Whether pages of other origins may use it; never where cookies count. */
  readonly cors: boolean;
}

/** Finds the endpoint of a request by its path alone: `Host` and forwarded headers are a stranger's words. */
export class Router {
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #documents: ReadonlyMap<string, Reply>;

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [route.path, route]));
    this.#documents = new Map(routes.flatMap((route) => documentOf(route)));
  }

  /** The route of a request, by its URL or its target, or `undefined` where it is none of ours. */
  find({ url }: Pick<Request, "url">): Route | undefined {
    return this.#routes.get(pathOf(url));
  }

  /** What every GET of a URL or a target is answered with, whatever else it says; `undefined` where that depends. */
  documentAt(url: string): Reply | undefined {
    return this.#documents.get(pathOf(url));
  }
}

/** The path of a fixed document, with what {@link dispatch} makes of it for GET. */
function documentOf({ path, methods: { GET }, cors }: Route): readonly (readonly [string, Reply])[] {
  return typeof GET === "object" ? [[path, withHeaders(GET, cors ? PUBLIC_CORS : [])]] : [];
}

/** Answers a request by its route. */
export async function dispatch(route: Route, request: Request, clientAddress?: string): Promise<Reply> {
  const { method } = request;
  const handler =
    method === "GET" || method === "HEAD" ? route.methods.GET : method === "POST" ? route.methods.POST : undefined;
  const cors = route.cors ? PUBLIC_CORS : [];
  if (handler !== undefined)
    return withHeaders(typeof handler === "function" ? await handler(request, clientAddress) : handler, cors);
  const allow = [...Object.keys(route.methods), ...(route.methods.GET === undefined ? [] : ["HEAD"]), "OPTIONS"].join(
    ", ",
  );
  if (method === "OPTIONS") return empty(204, [["allow", allow], ...(route.cors ? publicPreflight(allow) : [])]);
  return empty(405, [["allow", allow], ...cors]);
}

/**
 * The path as it was sent. Nothing is normalised: `/oauth/../oauth/token` is not `/oauth/token`.
 *
 * @param url absolute, or a target: what follows the authority
 */
export function pathOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  if (start === -1) return "/";
  for (let end = start; end < url.length; end++) {
    const character = url.charCodeAt(end);
    if (character === QUESTION_MARK || character === NUMBER_SIGN) return url.slice(start, end);
  }
  return url.slice(start);
}

/** The query as it was sent, without its question mark. */
export function queryOf(url: string): string {
  const [beforeFragment = ""] = url.split("#", 1);
  const start = beforeFragment.indexOf("?");
  return start === -1 ? "" : beforeFragment.slice(start + 1);
}
