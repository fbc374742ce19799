/** Token responses of upstream servers, as they come in the wild. RFC 6749 §5.1 and §5.2, and what is made of them. */

import { OAuthProxyError, type Reason } from "./errors.ts";
import { type JsonObject, parseJsonObject } from "./json-object.ts";
import { parseParameters } from "./parameters.ts";
import { isScopeWord } from "./scope.ts";

/** The tokens of an upstream server. Durations are in whole seconds, and `undefined` where nothing usable was said. */
export interface UpstreamTokenSet {
  readonly accessToken: string;
  /** `Bearer` in this spelling whatever the upstream's, and where it was not said. */
  readonly tokenType: string;
  readonly expiresIn?: number | undefined;
  readonly refreshToken?: string | undefined;
  readonly refreshExpiresIn?: number | undefined;
  readonly idToken?: string | undefined;
  /** What was granted; `undefined` where it was not said, which means: what was asked for. */
  readonly scope?: readonly string[] | undefined;
}

/** How an upstream deviates from the RFC in what it answers. */
export interface UpstreamDeviations {
  /** Puts an answer of an odd shape into the usual one; what it throws makes the answer malformed. */
  readonly map?: ((answer: JsonObject) => JsonObject) | undefined;
  /** Words of `error` by which the grant is over, whatever they mean elsewhere. */
  readonly endsSession?: readonly string[] | undefined;
}

const MAX_BODY_LENGTH = 1_048_576;
const MAX_TOKEN_LENGTH = 65_536;

/** Ten years: beyond it an instant is no longer a promise, and arithmetic with it goes wrong. */
const MAX_LIFETIME = 315_360_000;

/** RFC 6749 Appendix A.12 and RFC 3986: what may stand in a token; a line break in one would end the header it is sent in. */
const TOKEN = /^[\x21-\x7e]+$/;

/** RFC 6749 Appendix A.13: a name, or a URI for a type of one's own. */
const TOKEN_TYPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;

/** Media types under which a form has been seen. */
const FORM_TYPES: ReadonlySet<string> = new Set(["application/x-www-form-urlencoded", "text/plain", ""]);

/** What is read of an answer. */
const FORM_MEMBERS = [
  "error",
  "access_token",
  "token_type",
  "expires_in",
  "refresh_token",
  "refresh_expires_in",
  "refresh_token_expires_in",
  "id_token",
  "scope",
] as const;

/** What an upstream `error` means for us. A word that is not here is `upstream_refused`. */
const ERRORS: ReadonlyMap<string, Reason> = new Map<string, Reason>([
  // RFC 6749 §5.2
  ["invalid_grant", "upstream_invalid_grant"],
  ["invalid_client", "upstream_client_refused"],
  ["unauthorized_client", "upstream_client_refused"],
  // RFC 6749 §4.1.2.1 has these two for the authorization endpoint; token endpoints send them as well
  ["temporarily_unavailable", "upstream_unavailable"],
  ["server_error", "upstream_unavailable"],
  // GitHub: https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
  ["bad_verification_code", "upstream_invalid_grant"],
  ["bad_refresh_token", "upstream_invalid_grant"],
  ["incorrect_client_credentials", "upstream_client_refused"],
  // Slack: https://docs.slack.dev/reference/methods/oauth.v2.access
  ["invalid_code", "upstream_invalid_grant"],
  ["code_already_used", "upstream_invalid_grant"],
  ["invalid_refresh_token", "upstream_invalid_grant"],
  ["invalid_client_id", "upstream_client_refused"],
  ["bad_client_secret", "upstream_client_refused"],
  ["ratelimited", "upstream_unavailable"],
]);

/**
 * Reads what an upstream token endpoint answered. Every answer ends in tokens or in one of five refusals, and never in upstream
 * text that somebody sees.
 *
 * Tolerated: `expires_in` as a string, `null`, 0 or absent; scopes with commas or as an array; a form instead of JSON; a missing or
 * lower-case `token_type`; `null` for everything optional.
 *
 * @throws {OAuthProxyError} reason `upstream_invalid_grant` (the grant is over), `upstream_unavailable` (5xx, 408, 429: nothing is
 * lost), `upstream_client_refused` (our own credentials), `upstream_refused` (any other error) or `upstream_response_malformed`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}
 */
export function parseUpstreamTokenResponse(
  status: number,
  contentType: string | null,
  body: string,
  { map = (answer) => answer, endsSession = [] }: UpstreamDeviations = {},
): UpstreamTokenSet {
  // Before the body: a gateway's page on 502 says nothing about the grant, and a server in distress may say anything.
  if (status >= 500 || status === 429 || status === 408) throw new OAuthProxyError("upstream_unavailable");

  const members = body.length > MAX_BODY_LENGTH ? undefined : readMembers(contentType, body);

  refuseError(members, endsSession);
  if (status < 200 || status > 299) throw new OAuthProxyError("upstream_refused");
  if (members === undefined) throw new OAuthProxyError("upstream_response_malformed");
  const mapped = mapMembers(members, map);
  refuseError(mapped, endsSession);
  return readTokenSet(mapped);
}

/** RFC 6749 §5.2 wants 400, and several vendors send errors with 200: the member decides, not the status. */
function refuseError(members: JsonObject | undefined, endsSession: readonly string[]): void {
  const error = members?.error;
  if (error !== undefined && error !== null && error !== "" && error !== false) throw upstreamError(error, endsSession);
}

function mapMembers(members: JsonObject, map: (answer: JsonObject) => JsonObject): JsonObject {
  try {
    return map(members);
  } catch (cause) {
    throw cause instanceof OAuthProxyError ? cause : new OAuthProxyError("upstream_response_malformed", { cause });
  }
}

/** The operator learns which word it was, where it is one; free text of the upstream goes nowhere at all. */
function upstreamError(error: unknown, endsSession: readonly string[]): OAuthProxyError {
  const word = typeof error === "string" && /^[a-z_]{1,64}$/.test(error) ? error : undefined;
  if (word === undefined) return new OAuthProxyError("upstream_refused");
  const reason = endsSession.includes(word) ? "upstream_invalid_grant" : (ERRORS.get(word) ?? "upstream_refused");
  return new OAuthProxyError(reason, { cause: new Error(`The upstream answered ${word}.`) });
}

function readTokenSet(members: JsonObject): UpstreamTokenSet {
  const accessToken = readToken(members.access_token);
  if (accessToken === undefined) throw new OAuthProxyError("upstream_response_malformed");
  return {
    accessToken,
    tokenType: readTokenType(members.token_type),
    expiresIn: readLifetime(members.expires_in),
    refreshToken: readToken(members.refresh_token),
    // Keycloak and GitHub Apps name it differently.
    refreshExpiresIn: readLifetime(members.refresh_expires_in) ?? readLifetime(members.refresh_token_expires_in),
    idToken: readToken(members.id_token),
    scope: readScope(members.scope),
  };
}

/** The media type is often wrong, so the body's first character decides; HTML is never searched for parameters. */
function readMembers(contentType: string | null, body: string): JsonObject | undefined {
  const text = body.trim();
  if (text.startsWith("{")) return parseJsonObject(text);
  const mediaType = (contentType ?? "").split(";", 1).join("").trim().toLowerCase();
  return FORM_TYPES.has(mediaType) && text !== "" ? readForm(text) : undefined;
}

function readForm(text: string): JsonObject | undefined {
  try {
    const form = parseParameters(text);
    return Object.fromEntries(FORM_MEMBERS.map((name) => [name, form.get(name)]));
  } catch (error) {
    if (error instanceof OAuthProxyError) return undefined;
    throw error;
  }
}

function readToken(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string" || value.length > MAX_TOKEN_LENGTH || !TOKEN.test(value)) {
    throw new OAuthProxyError("upstream_response_malformed");
  }
  return value;
}

function readTokenType(value: unknown): string {
  if (value === undefined || value === null || value === "") return "Bearer";
  if (typeof value !== "string" || !TOKEN_TYPE.test(value)) throw new OAuthProxyError("upstream_response_malformed");
  return value.toLowerCase() === "bearer" ? "Bearer" : value;
}

/** 0 is what some servers say for "does not expire"; taken by its word it would mean a refresh before every call. */
function readLifetime(value: unknown): number | undefined {
  const seconds =
    typeof value === "string" && /^\s*[0-9]{1,15}(?:\.[0-9]{1,15})?\s*$/.test(value) ? Number(value) : value;
  if (typeof seconds !== "number" || !(seconds >= 1)) return undefined;
  return Math.floor(Math.min(seconds, MAX_LIFETIME));
}

/** Words that are none are dropped: they would have to go out in our own `scope` and `WWW-Authenticate`. */
function readScope(value: unknown): readonly string[] | undefined {
  if (typeof value !== "string" && !Array.isArray(value)) return undefined;
  const words: readonly unknown[] = typeof value === "string" ? value.split(/[\s,]/) : value;
  return [...new Set(words.filter((word): word is string => typeof word === "string" && isScopeWord(word)))];
}
