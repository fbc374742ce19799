/** Puts the checks of its tools into an MCP server: into the list, into each call, and into what is registered from now on. */
import { authInfoOf, type HandlerContext, type SdkAuthInfo } from "./auth-session.ts";
import type { Authority } from "./authority.ts";
import { ToolAccess, type ToolCheck } from "./tool-access.ts";
import { vouchFor } from "./upstream-tokens.ts";

/** What a tool is registered with, beside what the SDK knows. */
export interface GuardedToolConfig {
  /** Who may use the tool: it is absent from the list of everybody else, and refuses their calls. Default: whoever the guard of the endpoint let in. */
  readonly canAccess?: ToolCheck | undefined;
}

/** The `McpServer` of either SDK, as far as it is touched here. */
interface McpServerLike {
  readonly server: { assertCanSetRequestHandler(method: string): void };
}

/** How the two SDKs differ. */
export interface Dialect {
  /** The method that is meant by the first argument of `setRequestHandler`. */
  methodOf(named: unknown): unknown;
  /** What goes into the registration of a tool, so that the SDK itself asks for missing scopes. */
  registration?(missing: (authInfo: SdkAuthInfo | undefined) => readonly string[]): object;
}

type Handler = (request: { readonly params?: { readonly name?: unknown } }, ctx: HandlerContext) => unknown;
type Method = (...args: unknown[]) => unknown;

/**
 * Guards a server that has no tools yet. Its own methods are replaced, on this one instance: what is registered later goes through the guard, whoever registers it.
 *
 * @throws {Error} where the server has tools already, which could otherwise be used unguarded
 */
export function guardServer(server: McpServerLike, auth: Authority, dialect: Dialect): ToolAccess {
  const inner = server.server;
  try {
    for (const method of ["tools/list", "tools/call"]) inner.assertCanSetRequestHandler(method);
  } catch (cause) {
    throw new Error(
      "Guard the server before anything registers a tool, and leave `tools` out of its `capabilities`: they come with the first tool.",
      { cause },
    );
  }
  const access = new ToolAccess(auth);
  replaceMethod(inner, "setRequestHandler", (original) => (...args) => {
    const wrap = WRAPPERS.get(dialect.methodOf(args[0]));
    return original(
      ...(wrap === undefined ? args : [...args.slice(0, -1), wrap(args.at(-1) as Handler, access, auth)]),
    );
  });
  replaceMethod(server, "registerTool", (original) => (name, config, handler) => {
    const { canAccess, ...rest } = config as GuardedToolConfig;
    let current = String(name);
    const missing = (authInfo: SdkAuthInfo | undefined) => access.decide(current, authInfo).scopes;
    const registered = original(name, { ...rest, ...dialect.registration?.(missing) }, handler) as object;
    // Only now: had the name been taken, the check of the tool that has it must stay.
    access.declare(current, canAccess);
    replaceMethod(registered, "update", (update) => (...args) => {
      const { name: renamed } = args[0] as { readonly name?: string | null };
      if (renamed !== undefined && renamed !== current) {
        access.rename(current, renamed);
        current = renamed ?? current;
      }
      return update(...args);
    });
    return registered;
  });
  return access;
}

type Wrapper = (handler: Handler, access: ToolAccess, auth: Authority) => Handler;

const withoutHidden: Wrapper = (handler, access) => async (request, ctx) => {
  const { tools, ...rest } = (await handler(request, ctx)) as { readonly tools: readonly { readonly name: string }[] };
  const authInfo = authInfoOf(ctx);
  // MCP caching: the list is not the same for everybody, so no cache may hand one person's to another.
  return { ...rest, cacheScope: "private", tools: tools.filter(({ name }) => access.decide(name, authInfo).allowed) };
};

/** The second door: whatever brought the call here, and however old the list was from which the tool was chosen. */
const withCheck: Wrapper = (handler, access, auth) => async (request, ctx) => {
  const authInfo = authInfoOf(ctx);
  vouchFor(authInfo, auth);
  const { allowed, scopes } = access.decide(String(request.params?.name), authInfo);
  return allowed ? handler(request, ctx) : refusal(scopes);
};

const WRAPPERS: ReadonlyMap<unknown, Wrapper> = new Map<unknown, Wrapper>([
  ["tools/list", withoutHidden],
  ["tools/call", withCheck],
]);

/** For the person: the client's library acts on the HTTP challenge, and a model reads this. */
function refusal(scopes: readonly string[]): object {
  const text =
    scopes.length === 0
      ? "You may not use this tool."
      : `This tool needs the scopes ${scopes.join(", ")}. Sign in again.`;
  return { content: [{ type: "text", text }], isError: true };
}

/** Replaces a method of one object; nothing of its class changes. */
export function replaceMethod(target: object, name: string, make: (original: Method) => Method): void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== "function") throw new Error(`This version of the MCP SDK has no ${name}.`);
  Reflect.set(
    target,
    name,
    make((...args) => Reflect.apply(original, target, args)),
  );
}
