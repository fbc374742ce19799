/** What is known of an upstream server, by description or by its own document. OpenID Connect Discovery 1.0 §3, RFC 8414 §2. */
import { OAuthProxyError } from "../protocol/errors.ts";
import { type JsonObject, parseJsonObject } from "../protocol/json-object.ts";
import type { IssuerCheck, UpstreamAuthMethod, UpstreamDescriptor, UpstreamEndpoints } from "./descriptor.ts";

/** All that a sign-in needs to know of the server. */
export interface ServerFacts extends UpstreamEndpoints {
  /** What `iss` must be; unchecked where it is `undefined`. */
  readonly issuer: string | IssuerCheck | undefined;
  /** RFC 9207 §3: it always sends `iss`, so that an answer without one is not its own. */
  readonly issuerParameter: boolean;
  /** What ID tokens may be signed with. */
  readonly algorithms: readonly string[];
  readonly authMethod: UpstreamAuthMethod;
}

/** What a document says, once it has been checked. */
export interface ServerDocument extends UpstreamEndpoints {
  readonly issuer: string;
  readonly issuerParameter: boolean;
  /** Absent where it does not say. */
  readonly algorithms: readonly string[] | undefined;
  /** Absent where ours is as good as any. */
  readonly authMethod: UpstreamAuthMethod | undefined;
}

/** RFC 7518 §3.1, RFC 8037 §3.1, less whatever needs a secret: an ID token that is signed with our client secret could have been made by whoever knows it. */
const ASYMMETRIC = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/;

/**
 * Reads a discovery document.
 *
 * @param issuer what it has to name as its issuer, or it would be another server's: OpenID Connect Discovery 1.0 §4.3
 * @throws {OAuthProxyError} `upstream_metadata`
 */
export function parseServerDocument(text: string, issuer: string): ServerDocument {
  const document = parseJsonObject(text);
  if (document === undefined) throw unusable("no JSON object");
  if (document.issuer !== issuer) throw unusable("another issuer");
  // Plain http only within one machine: a document from the net must not send our client secret to a service on this computer.
  const mayBeLoopback = issuer.startsWith("http:");
  const optional = (name: string) => (document[name] === undefined ? undefined : urlOf(document, name, mayBeLoopback));
  return {
    issuer,
    authorization: urlOf(document, "authorization_endpoint", mayBeLoopback),
    token: urlOf(document, "token_endpoint", mayBeLoopback),
    userinfo: optional("userinfo_endpoint"),
    revocation: optional("revocation_endpoint"),
    jwks: optional("jwks_uri"),
    issuerParameter: document.authorization_response_iss_parameter_supported === true,
    algorithms: algorithmsOf(document.id_token_signing_alg_values_supported),
    authMethod: authMethodOf(document.token_endpoint_auth_methods_supported),
  };
}

/** What the description says, and beside it what the document says. */
export function factsOf(descriptor: UpstreamDescriptor, document: ServerDocument | undefined): ServerFacts {
  const { endpoints, idTokenAlgorithms } = descriptor;
  return {
    // Discovery has been asked for where the description has none; see `defineUpstream`.
    authorization: endpoints?.authorization ?? document?.authorization ?? "",
    token: endpoints?.token ?? document?.token ?? "",
    userinfo: endpoints?.userinfo ?? document?.userinfo,
    revocation: endpoints?.revocation ?? document?.revocation,
    jwks: endpoints?.jwks ?? document?.jwks,
    issuer: descriptor.issuer ?? document?.issuer,
    issuerParameter: descriptor.issuerParameter ?? document?.issuerParameter ?? false,
    algorithms: document?.algorithms ?? idTokenAlgorithms ?? ["RS256"],
    authMethod: descriptor.authMethod ?? document?.authMethod ?? "client_secret_basic",
  };
}

/** Whether an algorithm has a public key to verify it with. */
export function isAsymmetric(algorithm: unknown): algorithm is string {
  return typeof algorithm === "string" && ASYMMETRIC.test(algorithm);
}

function algorithmsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter(isAsymmetric) : undefined;
}

/** The first that we have; OpenID Connect Discovery 1.0 §3: where nothing is said, it is `client_secret_basic`. */
function authMethodOf(value: unknown): UpstreamAuthMethod | undefined {
  if (!Array.isArray(value) || value.includes("client_secret_basic")) return undefined;
  return value.includes("client_secret_post") ? "client_secret_post" : undefined;
}

function urlOf(document: JsonObject, name: string, mayBeLoopback: boolean): string {
  const value = document[name];
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  const isSafe =
    url?.protocol === "https:" ||
    (mayBeLoopback && url?.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname));
  if (url === undefined || !isSafe || url.username !== "" || url.password !== "" || url.hash !== "")
    throw unusable(name);
  return String(value);
}

function unusable(what: string): OAuthProxyError {
  return new OAuthProxyError("upstream_metadata", { cause: new Error(`discovery document: ${what}`) });
}
