/** Asks for missing scopes before an HTTP transport of SDK version 1 begins to answer. MCP authorization, "Scope Challenge Handling"; RFC 6750 §3.1. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { SdkAuthInfo } from "./auth-session.ts";
import type { Authority } from "./authority.ts";
import { replaceMethod } from "./guarded-server.ts";
import type { ToolAccess } from "./tool-access.ts";

/** In bytes. What the transports of the SDK read at most; larger bodies are left to them to refuse. */
const MAX_BODY = 4 * 1024 * 1024;
/** Messages in one batch of the time when there were batches; longer ones are left to the transport to refuse. */
const MAX_BATCH = 100;

/** The body of a request as JSON, or why there is none. */
type Body = { readonly json: unknown } | { readonly problem: "too large" | "malformed" };

/**
 * Puts the question for scopes in front of a transport's `handleRequest`, be it the one for `node:http` or the one for `Request` and `Response`. Other
 * transports have no HTTP answer to ask with.
 */
export function askForScopes(transport: unknown, access: ToolAccess, auth: Authority): void {
  if (typeof transport !== "object" || transport === null || !("handleRequest" in transport)) return;
  replaceMethod(transport, "handleRequest", (handle) => (...args) => {
    if (args[0] instanceof Request) {
      const [request, options = {}] = args as [Request, WebOptions?];
      return onWeb(request, options, access, auth, handle);
    }
    const [req, res, parsed] = args as [NodeRequest, ServerResponse, unknown];
    return onNode(req, res, parsed, access, auth, handle);
  });
}

type NodeRequest = IncomingMessage & { readonly auth?: SdkAuthInfo };
interface WebOptions {
  readonly authInfo?: SdkAuthInfo;
  readonly parsedBody?: unknown;
}
type Handle = (...args: unknown[]) => unknown;

async function onWeb(
  request: Request,
  options: WebOptions,
  access: ToolAccess,
  auth: Authority,
  handle: Handle,
): Promise<unknown> {
  const { authInfo, parsedBody } = options;
  if (request.method !== "POST" || authInfo === undefined) return handle(request, options);
  // What can't be read here is for the transport to refuse, so the request itself has to stay unread.
  // The copy is not cancelled: that would wait for the request to be read, which waits for this.
  const copy = parsedBody === undefined ? request.clone().body?.values({ preventCancel: true }) : undefined;
  const body = parsedBody === undefined ? await read(copy) : { json: parsedBody };
  if ("problem" in body) return handle(request, options);
  const challenge = await challengeFor(body.json, authInfo, request.headers.get("origin"), access, auth);
  return challenge ?? handle(request, { ...options, parsedBody: body.json });
}

async function onNode(
  req: NodeRequest,
  res: ServerResponse,
  parsed: unknown,
  access: ToolAccess,
  auth: Authority,
  handle: Handle,
): Promise<unknown> {
  if (req.method !== "POST" || req.auth === undefined) return handle(req, res, parsed);
  const body = parsed === undefined ? await read(req.iterator({ destroyOnReturn: false })) : { json: parsed };
  if ("problem" in body && body.problem === "too large") return refuseSize(req, res);
  // The transport answers 400 to what is no JSON-RPC message.
  const json = "problem" in body ? null : body.json;
  const challenge = await challengeFor(json, req.auth, req.headers.origin ?? null, access, auth);
  if (challenge === undefined) return handle(req, res, json);
  for (const [name, value] of challenge.headers) res.setHeader(name, value);
  return res.writeHead(challenge.status).end(await challenge.text());
}

/** The answer of our guard where a call of the body lacks scopes. It is the guard's own, so that it is spelt, exposed and reported as all others are. */
async function challengeFor(
  body: unknown,
  authInfo: SdkAuthInfo,
  origin: string | null,
  access: ToolAccess,
  auth: Authority,
): Promise<Response | undefined> {
  const scopes = new Set(calledTools(body).flatMap((name) => access.decide(name, authInfo).scopes));
  const resource = auth.resources.find((known) => new URL(known).href === authInfo.resource?.href);
  if (scopes.size === 0 || resource === undefined) return undefined;
  const headers = new Headers({ authorization: `Bearer ${authInfo.token}` });
  if (origin !== null) headers.set("origin", origin);
  const request = new Request(resource, { method: "POST", headers });
  const answer = await auth.protect(request, { scopes: [...scopes], resource });
  return "token" in answer ? undefined : answer;
}

/** The names of the tools that a message, or a batch of them, calls. */
export function calledTools(body: unknown): readonly string[] {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (messages.length > MAX_BATCH) return [];
  return messages.flatMap((message) => {
    if (!isCall(message)) return [];
    return typeof message.params?.name === "string" ? [message.params.name] : [];
  });
}

function isCall(message: unknown): message is { readonly params?: { readonly name?: unknown } } {
  return typeof message === "object" && message !== null && "method" in message && message.method === "tools/call";
}

async function read(source: AsyncIterable<Uint8Array> | undefined): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY) return { problem: "too large" };
    chunks.push(chunk);
  }
  try {
    return { json: JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown };
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: "malformed" };
    throw error;
  }
}

/** What has been read can't be given back, so the transport can't say it. */
function refuseSize(req: IncomingMessage, res: ServerResponse): unknown {
  const error = { code: -32_000, message: `Payload Too Large: Request body must not exceed ${MAX_BODY} bytes` };
  res.writeHead(413, { "content-type": "application/json", connection: "close" });
  return res.end(JSON.stringify({ jsonrpc: "2.0", error, id: null }), () => req.destroy());
}
