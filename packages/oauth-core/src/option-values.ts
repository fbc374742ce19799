/** What values of options have to look like, wherever they are options of. */
import { ConfigurationError, OAuthProxyError } from "./protocol/errors.ts";
import { scopeOf } from "./protocol/scope.ts";

/** One or several of something, as a list. */
export function listOf<T extends string | Uint8Array>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" || value instanceof Uint8Array ? [value] : value;
}

/** A path below `baseUrl`, without a slash at its end. @throws {ConfigurationError} */
export function pathOption(option: string, value: string): string {
  const path = value === "/" ? "" : value.replace(/\/$/, "");
  if (path !== "" && !/^(?:\/[A-Za-z0-9._~-]+)+$/.test(path))
    throw new ConfigurationError(option, "must be a path such as /oauth");
  if (path.split("/").some((segment) => segment === "." || segment === ".."))
    throw new ConfigurationError(option, "must have no dot segments");
  return path;
}

/** The words of a scope, each once. @throws {ConfigurationError} */
export function scopeOption(option: string, words: readonly string[] = []): readonly string[] {
  try {
    return [...scopeOf(words)];
  } catch (error) {
    if (!(error instanceof OAuthProxyError)) throw error;
    throw new ConfigurationError(option, "has a word that RFC 6749 §3.3 does not allow");
  }
}

/** Compared as text with what browsers send, so anything that is no whole origin in that spelling would never match. @throws {ConfigurationError} */
export function originsOption(option: string, origins: readonly string[] = []): readonly string[] {
  for (const [index, origin] of origins.entries()) {
    const isOrigin = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#*@]+$/.test(origin) && URL.canParse(origin);
    const spelt = isOrigin ? new URL(origin).origin : undefined;
    if (spelt !== "null" && spelt !== origin)
      throw new ConfigurationError(`${option}[${index}]`, "must be an origin such as https://app.example.com");
  }
  return origins;
}

/** A whole number within bounds. @throws {ConfigurationError} */
export function wholeNumber(option: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new ConfigurationError(option, `must be a whole number from ${least} to ${most}`);
  return value;
}
