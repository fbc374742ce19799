/** A token request may ask for less than was granted, never for more. RFC 6749 §6, RFC 8707 §2.2. */
import { OAuthProxyError } from "../../protocol/errors.ts";
import { selectResources } from "../../protocol/resource.ts";
import type { Scope } from "../../protocol/scope.ts";

/** The resources that a token is for; all that were granted where none is named. @throws {OAuthProxyError} `resource_unknown` */
export function narrowResources(requested: readonly string[], granted: readonly string[]): readonly string[] {
  return requested.length === 0 ? granted : selectResources(requested, granted);
}

/**
 * The scope that a refreshed token has. Words that were never granted are dropped, because clients repeat what they once asked for.
 *
 * @throws {OAuthProxyError} `scope_exceeded` where nothing that was granted is named
 */
export function narrowScopeTo(requested: Scope | undefined, granted: readonly string[]): readonly string[] {
  if (requested === undefined || requested.size === 0) return granted;
  const kept = granted.filter((word) => requested.has(word));
  if (kept.length === 0) throw new OAuthProxyError("scope_exceeded");
  return kept;
}
