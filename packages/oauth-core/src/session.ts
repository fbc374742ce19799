/** Who may use a tool: small checks that can be combined, over whatever a framework calls its session. */

/** What the helpers look at: an {@link Access}, or any session that carries scopes and claims. */
export interface AuthSession {
  /** The upstream's access token, where what made the session has loaded it. */
  readonly accessToken?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

type Session = object | null | undefined;
/** A check, or its answer. */
export type Check<S extends Session = Session> = ((session: S) => boolean) | boolean;

/** Whether somebody is signed in. */
export function requireAuth(session: Session): boolean {
  return session !== undefined && session !== null;
}

/** Demands all of these scopes. */
export function requireScopes(...scopes: readonly string[]): (session: Session) => boolean {
  return (session) => {
    const granted = listOf(session, "scopes");
    return requireAuth(session) && scopes.every((scope) => granted.includes(scope));
  };
}

/** Demands one of these roles, from the session's `role` or `roles`, or from the claims of that name. */
export function requireRole(...roles: readonly string[]): (session: Session) => boolean {
  return (session) => {
    const claims = member(session, "claims");
    const held = [session, claims].flatMap((source) => [...listOf(source, "role"), ...listOf(source, "roles")]);
    return requireAuth(session) && roles.some((role) => held.includes(role));
  };
}

/** Demands that every check passes. Without checks nobody passes: an empty list is a mistake, and mistakes must not open doors. */
export function requireAll<S extends Session>(...checks: readonly Check<S>[]): (session: S) => boolean {
  return (session) => checks.length > 0 && checks.every((check) => passes(check, session));
}

/** Demands that one check passes. */
export function requireAny<S extends Session>(...checks: readonly Check<S>[]): (session: S) => boolean {
  return (session) => checks.some((check) => passes(check, session));
}

/**
 * The session of an authenticated request.
 *
 * @throws {Error} where nobody is signed in; safe after {@link requireAuth}
 */
export function getAuthSession<T extends object = AuthSession>(session: Session): T {
  if (session === undefined || session === null)
    throw new Error("Nobody is signed in. Guard the tool with requireAuth.");
  return session as T;
}

function passes<S extends Session>(check: Check<S>, session: S): boolean {
  return typeof check === "boolean" ? check : check(session);
}

function member(source: unknown, name: string): unknown {
  return typeof source === "object" && source !== null && Object.hasOwn(source, name)
    ? (source as Record<string, unknown>)[name]
    : undefined;
}

function listOf(source: unknown, name: string): readonly unknown[] {
  const value = member(source, name);
  return Array.isArray(value) ? value : typeof value === "string" ? [value] : [];
}
