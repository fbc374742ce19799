/** Scopes: space-separated words with the meaning of a set. RFC 6749 §3.3. */

import { OAuthProxyError } from "./errors.ts";

/** The words of a scope, in the order in which they were first named. */
export type Scope = ReadonlySet<string>;

/**
 * Which scopes a scope implies: `{ admin: ["read", "write"] }`. Implication is transitive; cycles are harmless.
 */
export type ScopeHierarchy = Readonly<Record<string, readonly string[]>>;

/** RFC 6749 §3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`. One class under one quantifier: linear. */
const SCOPE_WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** In characters. The longest lists of real clients are a tenth of it. */
const MAX_SCOPE_LENGTH = 8192;

/**
 * Reads a `scope` parameter; absent and empty both mean no words at all.
 *
 * Whether a word is known is the caller's question. Whether it is a word is answered here, because
 * a quote or a line break in it would end up inside a `WWW-Authenticate` header.
 *
 * @throws {OAuthProxyError} `invalid_scope`, reason `malformed_scope`, for a character that the RFC forbids, and above 8192 characters.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.3 RFC 6749 §3.3}
 */
export function parseScope(value: string | undefined): Scope {
  if (value === undefined) return new Set();
  if (value.length > MAX_SCOPE_LENGTH) throw new OAuthProxyError("malformed_scope");
  return scopeOf(value.split(" ").filter((word) => word !== ""));
}

/**
 * Whether a text is one word of a scope.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.3 RFC 6749 §3.3}
 */
export function isScopeWord(word: string): boolean {
  return SCOPE_WORD.test(word);
}

/**
 * Makes a scope of single words.
 *
 * @throws {OAuthProxyError} `invalid_scope`, reason `malformed_scope`, for anything that is not one word.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.3 RFC 6749 §3.3}
 */
export function scopeOf(words: Iterable<string>): Scope {
  const scope = new Set<string>();
  for (const word of words) {
    // RFC 6749 §3.3: no quotes, backslashes, spaces or control characters; they would break out of the header that carries the scope.
    if (!isScopeWord(word)) throw new OAuthProxyError("malformed_scope");
    scope.add(word);
  }
  return scope;
}

/** Writes a scope as it goes over the wire. An empty one is the empty string, which no response may carry: omit it there. */
export function formatScope(scope: Iterable<string>): string {
  return [...scope].join(" ");
}

/** The words of `scope` that `to` has as well, in the order of `scope`. It can only take away. */
export function narrowScope(scope: Scope, to: Scope): Scope {
  return new Set([...scope].filter((word) => to.has(word)));
}

/**
 * Whether every required word was granted, itself or through a broader one.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 RFC 6750 §3.1} `insufficient_scope`
 */
export function includesScope(granted: Scope, required: Iterable<string>, hierarchy: ScopeHierarchy = {}): boolean {
  const held = withImplied(granted, hierarchy);
  for (const word of required) if (!held.has(word)) return false;
  return true;
}

/** A scope, and all that it contains. Each word is expanded once, so that a cycle ends. A Set also visits what is added while it is being walked. */
export function withImplied(granted: Scope, hierarchy: ScopeHierarchy): Scope {
  const held = new Set(granted);
  for (const word of held) {
    // A granted word may be called `constructor`: only what the operator wrote counts, never what an object inherits.
    if (!Object.hasOwn(hierarchy, word)) continue;
    for (const implied of hierarchy[word] ?? []) held.add(implied);
  }
  return held;
}
