/** Who may use which tool, and which scopes somebody would need who may not. MCP authorization, "Scope Challenge Handling". */
import type { Check } from "@sallyport/oauth-core";
import { type McpAuthSession, type SdkAuthInfo, sessionOf } from "./auth-session.ts";
import type { Authority } from "./authority.ts";

/** Decides whether somebody may use a tool: `requireScopes(…)`, `requireRole(…)`, what they are combined to, or any function. It has to be quick and pure. */
export type ToolCheck = Check<McpAuthSession | undefined>;

/** May they, and if not, would other scopes help? */
export interface Decision {
  readonly allowed: boolean;
  /** All scopes of the operation where more of them would open it; empty where they would not. */
  readonly scopes: readonly string[];
}

const ALLOWED: Decision = { allowed: true, scopes: [] };

/** The checks of one MCP server's tools, by name. */
export class ToolAccess {
  readonly #auth: Authority;
  readonly #checks = new Map<string, ToolCheck>();
  #grantable: readonly string[] | undefined;

  constructor(auth: Authority) {
    this.#auth = auth;
  }

  /** Puts a check in front of a tool; `undefined` lets everybody through who came this far. */
  declare(name: string, check: ToolCheck | undefined): void {
    if (check === undefined) this.#checks.delete(name);
    else this.#checks.set(name, check);
  }

  /** A tool that changes its name keeps its check. `null` is a tool that is gone. */
  rename(from: string, to: string | null): void {
    const check = this.#checks.get(from);
    this.#checks.delete(from);
    if (to !== null) this.declare(to, check);
  }

  /** What is decided about one call. A tool without a check is open. */
  decide(name: string, authInfo: SdkAuthInfo | undefined): Decision {
    const check = this.#checks.get(name);
    if (check === undefined) return ALLOWED;
    const session = sessionOf(authInfo);
    const held = session === undefined ? undefined : this.#with(session, session.scopes);
    if (passes(check, held)) return ALLOWED;
    return { allowed: false, scopes: session === undefined ? [] : this.#missing(check, session) };
  }

  /**
   * The smallest set of our scopes with which the check passes, found by asking it: a check is a function and may look at anything.
   *
   * What contains other scopes is given up first, so that a client is never told to ask for more than it needs.
   */
  #missing(check: ToolCheck, session: McpAuthSession): readonly string[] {
    const passesWith = (scopes: readonly string[]) => passes(check, this.#with(session, scopes));
    const all = this.#scopes();
    if (!passesWith(all)) return [];
    let needed = all;
    for (const scope of [...all].reverse().sort((one, other) => this.#breadth(other) - this.#breadth(one))) {
      const fewer = needed.filter((word) => word !== scope);
      if (passesWith(fewer)) needed = fewer;
    }
    return needed;
  }

  /** Every scope that a client can get here. MCP authorization, "Refresh Tokens": `offline_access` is no business of a resource. */
  #scopes(): readonly string[] {
    const { scopesSupported = [] } = this.#auth.getAuthorizationServerMetadata();
    this.#grantable ??= scopesSupported.filter((scope) => scope !== "offline_access");
    return this.#grantable;
  }

  #breadth(scope: string): number {
    return this.#auth.impliedScopes([scope]).length;
  }

  /** RFC 6750 §3.1: a broad scope opens what a narrow one opens. */
  #with(session: McpAuthSession, scopes: readonly string[]): McpAuthSession {
    return { ...session, scopes: this.#auth.impliedScopes(scopes) };
  }
}

function passes(check: ToolCheck, session: McpAuthSession | undefined): boolean {
  return (typeof check === "function" ? check(session) : check) === true;
}
