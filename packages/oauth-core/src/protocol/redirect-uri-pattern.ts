/** Patterns of redirect URIs that an operator admits at registration. They never match a request: that is exact, RFC 9700 §4.1.3. */

import { ConfigurationError } from "./errors.ts";
import { parseRedirectUri } from "./redirect-uri.ts";
import { isPort, splitUri, type UriParts } from "./uri.ts";

/** Second-level names under which a country registers its domains: `*.co.uk` would be everybody in that country. */
const REGISTRY_LABELS: ReadonlySet<string> = new Set(
  "ac co com ed edu go gob gov gouv gv mil ne net nom or org sch".split(" "),
);

type Test = (text: string) => boolean;

/**
 * Compiles one of `allowedRedirectUriPatterns`.
 *
 * A pattern is compared part by part, so that `*` can never swallow a delimiter: `https://*.example.com/*` does not admit
 * `https://evil.test/.example.com/x`. In each part `*` stands for at least one character.
 *
 * - Scheme: exact. A private-use scheme (`cursor://…`) takes no `*` at all.
 * - Host: `*` stays within its label, and `*` alone is exactly one label. The last two labels are always literal.
 * - Port: exact, or `*` for any and for none.
 * - Path: `*` stays within its segment; a final `/*` admits everything below. Without a path: only an empty one or `/`, but any
 *   path after the port `*`, so that `http://localhost:*` is every callback on the developer's machine.
 * - Query: only what the pattern spells out.
 *
 * Danger: below a domain that rents out its labels (`*.vercel.app`, `*.github.io`) a pattern admits every tenant of it.
 *
 * @throws {ConfigurationError} naming `allowedRedirectUriPatterns`, for a pattern that could match nothing, or too much.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.1 RFC 9700 §4.1}
 */
export function compileRedirectUriPattern(pattern: string): (uri: string) => boolean {
  if (!/^https?:\/\//.test(pattern)) {
    // RFC 8252 §8.1: any application may claim a private-use scheme, so each is admitted by its whole name or not at all.
    requireRedirectUri(pattern);
    return (uri) => uri === pattern;
  }

  // A pattern with a letter for each `*` has to be a redirect URI itself, or nothing that registers could ever match it.
  const parts = splitUri(pattern);
  if (parts === undefined) throw refused("a pattern is not an absolute URI");
  const port = parts.port === undefined || parts.port === "*" ? "" : `:${parts.port}`;
  const example = `${parts.scheme}://${parts.host}${port}${parts.path}`.replaceAll("*", "x");
  requireRedirectUri(example + (parts.query ?? ""));

  const host = compileHost(parts.host);
  const path = compilePath(parts);
  return (uri) => {
    const given = splitUri(uri);
    if (given === undefined || given.scheme !== parts.scheme || given.query !== parts.query) return false;
    return host(given.host) && matchesPort(given.port, parts.port) && path(given.path);
  };
}

function refused(problem: string): ConfigurationError {
  return new ConfigurationError("allowedRedirectUriPatterns", problem);
}

function requireRedirectUri(uri: string): void {
  try {
    parseRedirectUri(uri);
  } catch (cause) {
    const error = refused(
      "a pattern matches no URI that could register: https, http on loopback, or a private scheme without *",
    );
    error.cause = cause;
    throw error;
  }
}

function compileHost(pattern: string): Test {
  if (!pattern.includes("*")) return (host) => host === pattern;
  const labels = pattern.split(".");
  const literal = isRegistryName(labels) ? 3 : 2;

  // RFC 9700 §4.1.1: `https://*`, `https://*.com` and `https://*.co.uk` admit the attacker's own domain.
  if (labels.length <= literal || labels.slice(-literal).some((label) => label.includes("*"))) {
    throw refused("a pattern has * where anybody can register a domain");
  }
  const tests = labels.map(compileWithin);
  return (host) => matchesEach(host.split("."), tests);
}

function isRegistryName(labels: readonly string[]): boolean {
  return labels.at(-1)?.length === 2 && REGISTRY_LABELS.has(labels.at(-2) ?? "");
}

function matchesPort(port: string | undefined, pattern: string | undefined): boolean {
  return pattern === "*" ? port === undefined || isPort(port) : port === pattern;
}

function compilePath({ port, path }: UriParts): Test {
  if (path === "") return port === "*" ? () => true : (given) => given === "" || given === "/";

  const below = path.endsWith("/*");
  const tests = (below ? path.slice(0, -2) : path).split("/").map(compileWithin);
  return (given) => {
    const segments = (given || "/").split("/");
    // One segment more than the literal ones, even an empty one: `/app/*` is what lies below `/app/`, not `/app` itself.
    if (below && segments.length <= tests.length) return false;
    return matchesEach(below ? segments.slice(0, tests.length) : segments, tests);
  };
}

function matchesEach(texts: readonly string[], tests: readonly Test[]): boolean {
  return texts.length === tests.length && tests.every((test, index) => test(texts[index] ?? ""));
}

/**
 * Compiles one label or segment. The literals between the `*` are found one after the other, each at its first place behind the
 * last one, and nothing is ever tried again: no backtracking, so the time is linear in the text for every pattern.
 */
function compileWithin(pattern: string): Test {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return (text) => text === first;

  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let position = first.length;
    for (const literal of rest) {
      const found = text.indexOf(literal, position + 1);
      if (found === -1) return false;
      position = found + literal.length;
    }
    return position < text.length - last.length;
  };
}
