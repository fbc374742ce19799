/** The options of `JWKSVerifier`: their units, defaults and dangers; checked once. */
import { ConfigurationError, type Runtime } from "@sallyport/oauth-core";
import { ASYMMETRIC_ALGORITHMS, type AsymmetricAlgorithm, isAsymmetric } from "./algorithms.ts";
import type { RemoteKeySetOptions } from "./remote-key-set.ts";
import { type Claims, type Expectation, mediaType } from "./token-claims.ts";

/** Decides by itself whether a token's issuer is an expected one: for services with an issuer for each tenant. */
export type IssuerCheck = (issuer: string, claims: Claims) => boolean;

/** The options of {@link JWKSVerifier}. Durations are in milliseconds, but for `clockTolerance`. */
export interface JWKSVerifierConfig {
  /** Where the issuer publishes its keys. https, or http on a loopback address. Only ever the operator's word, never a token's. */
  jwksUri: string;
  /** The `iss` that tokens must have, character by character; several; or a check of your own. */
  issuer: string | readonly string[] | IssuerCheck;
  /** The `aud` that tokens must have; of several, one. Danger: with a client id here, that client's ID tokens are accepted as well, unless `tokenType` or `requiredClaims` tells them apart. */
  audience: string | readonly string[];
  /** For how long fetched keys are used before they are fetched anew. Default: 600 000 (10 minutes). */
  cacheDuration?: number;
  /** The least time between two fetches because no known key verified a token. Default: 30 000. */
  cooldownDuration?: number;
  /** For how long keys still serve after `cacheDuration` while fresh ones can't be fetched; 0 for never. Default: 3 600 000 (1 hour). */
  staleDuration?: number;
  /** For one fetch, its body included. Default: 5000. */
  requestTimeoutMs?: number;
  /** Signature algorithms that are accepted. Default: all of {@link AsymmetricAlgorithm}; a key that was published for one is used for no other. */
  algorithms?: readonly AsymmetricAlgorithm[];
  /** The `typ` that tokens must have: `at+jwt` for RFC 9068; of several, one. Default: none, `JWT` or `at+jwt`. */
  tokenType?: string | readonly string[];
  /** The claim that names the audience, for an issuer that does not use `aud`. Default: `aud`. */
  audienceClaim?: string;
  /** Claims that have to be there beside `iss`, `exp` and the audience. Default: none. */
  requiredClaims?: readonly string[];
  /** Seconds by which the issuer's clock may differ from ours, for `exp` and `nbf`. Default: 5. */
  clockTolerance?: number;
  /** Replaces the clock (in seconds; fractions count) and outgoing requests; for tests, and for a `fetch` that goes through a proxy. */
  runtime?: Partial<Pick<Runtime, "now" | "fetch">>;
}

/** The options as the verifier works with them. */
export interface VerifierSettings {
  readonly expected: Expectation;
  readonly keySet: RemoteKeySetOptions;
  /** Seconds since 1970, with fractions. */
  readonly now: () => number;
}

const DAY = 86_400_000;

/** @throws {ConfigurationError} naming the option */
export function resolveVerifierOptions(config: JWKSVerifierConfig): VerifierSettings {
  const now = config.runtime?.now ?? (() => Date.now() / 1000);
  return {
    expected: {
      algorithms: new Set(algorithmsOption(config.algorithms)),
      types: config.tokenType === undefined ? undefined : new Set(names("tokenType", config.tokenType).map(mediaType)),
      isIssuer: issuerOption(config.issuer),
      audiences: new Set(names("audience", config.audience)),
      audienceClaim: names("audienceClaim", config.audienceClaim ?? "aud")[0] ?? "aud",
      requiredClaims: config.requiredClaims === undefined ? [] : names("requiredClaims", config.requiredClaims),
      clockTolerance: wholeNumber("clockTolerance", config.clockTolerance ?? 5, 0, 600),
    },
    keySet: {
      uri: uriOption(config.jwksUri),
      cacheDuration: wholeNumber("cacheDuration", config.cacheDuration ?? 600_000, 1, 7 * DAY),
      cooldownDuration: wholeNumber("cooldownDuration", config.cooldownDuration ?? 30_000, 0, DAY),
      staleDuration: wholeNumber("staleDuration", config.staleDuration ?? 3_600_000, 0, 7 * DAY),
      requestTimeoutMs: wholeNumber("requestTimeoutMs", config.requestTimeoutMs ?? 5000, 1, 60_000),
      now: () => now() * 1000,
      fetch: config.runtime?.fetch ?? ((input, init) => fetch(input, init)),
    },
    now,
  };
}

function issuerOption(issuer: JWKSVerifierConfig["issuer"]): IssuerCheck {
  if (typeof issuer === "function") return issuer;
  const issuers = new Set(names("issuer", issuer));
  return (candidate) => issuers.has(candidate);
}

/** One name or several. What usually fails here is an environment variable that isn't set. */
function names(option: string, value: string | readonly string[]): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const checked = list.filter((name): name is string => typeof name === "string" && name !== "");
  if (checked.length === 0 || checked.length < list.length) throw new ConfigurationError(option, "is missing or empty");
  return checked;
}

function algorithmsOption(
  algorithms: readonly AsymmetricAlgorithm[] = ASYMMETRIC_ALGORITHMS,
): readonly AsymmetricAlgorithm[] {
  // RFC 8725 §3.1: with HS256 in the list, whoever knows a public key could sign with it.
  if (!Array.isArray(algorithms) || algorithms.length === 0 || !algorithms.every(isAsymmetric))
    throw new ConfigurationError("algorithms", `must be some of ${ASYMMETRIC_ALGORITHMS.join(", ")}`);
  return algorithms;
}

function uriOption(uri: string): string {
  const url = typeof uri === "string" && URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined) throw new ConfigurationError("jwksUri", "is no absolute URL");
  const isLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  // RFC 7517 §8.5: whoever can change the keys on their way can sign whatever they like.
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback))
    throw new ConfigurationError("jwksUri", "must be https, or http on localhost, 127.0.0.1 or [::1]");
  if (url.username !== "" || url.password !== "" || url.hash !== "")
    throw new ConfigurationError("jwksUri", "must have neither credentials nor a fragment");
  return url.href;
}

function wholeNumber(option: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new ConfigurationError(option, `must be a whole number from ${least} to ${most}`);
  return value;
}
