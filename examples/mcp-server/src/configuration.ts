/** The server's configuration: environment variables and nothing else. */
import { ConfigurationError, type OAuthProxyConfig } from "@sallyport/oauth-core";

/** The variables, each with what it means; the table of the README is this one. */
export const VARIABLES = {
  PORT: "Where to listen. 0 takes any free port. Default: 3000.",
  HOST: "The address to listen on. Default: 127.0.0.1.",
  BASE_URL:
    "The public URL, from which every URL is made that leaves the server. Default: HOST and PORT, where HOST is a loopback address.",
  UPSTREAM_AUTHORIZATION_ENDPOINT: "Where the identity provider signs people in. Required.",
  UPSTREAM_TOKEN_ENDPOINT: "Where the identity provider gives tokens for codes. Required.",
  UPSTREAM_USERINFO_ENDPOINT: "Where the identity provider describes a person; what upstream_profile asks.",
  UPSTREAM_ISSUER: "The identity provider's issuer. With it, answers and ID tokens of any other are refused.",
  UPSTREAM_CLIENT_ID: "This server's client id at the identity provider. Required.",
  UPSTREAM_CLIENT_SECRET: "Its secret there. Required, unless UPSTREAM_AUTH_METHOD is none.",
  UPSTREAM_AUTH_METHOD: "client_secret_basic, client_secret_post or none. Default: client_secret_basic.",
  UPSTREAM_SCOPES:
    "What to ask of the identity provider, with spaces or commas between. Default: openid profile email.",
  STORAGE:
    "Where sign-ins are kept: memory, disk:DIRECTORY, a redis:// or rediss:// URL (of one server, or of any in a cluster), or a postgres:// or postgresql:// URL. All but memory outlive a restart, and several processes may share them. Default: memory.",
  ADAPTER: "Which HTTP framework serves: node-http, express, koa, fastify, hono or fetch. Default: node-http.",
  SALLYPORT_SECRET:
    "The secret from which all keys are derived, at least 32 bytes. Default: the client secret and BASE_URL.",
  JWT_SIGNING_KEY: "Signs access tokens as it stands (HS256), at least 32 bytes. Default: derived.",
  ALLOWED_REDIRECT_URIS:
    "Patterns of redirect URIs that clients may register beside the known ones, with commas between.",
} as const;

/** The name of a variable. */
export type Variable = keyof typeof VARIABLES;

/** Where a server listens, and as what it is known. */
export interface Place {
  readonly port: number;
  readonly host: string;
  /** Undefined: made from the host and the port, once that is known. */
  readonly baseUrl: string | undefined;
}

/** What the variables said. */
export interface Configuration extends Place {
  readonly storage: string;
  readonly adapter: string;
  readonly userinfoEndpoint: string | undefined;
  /** What goes to the authorization server as it is. */
  readonly auth: Omit<OAuthProxyConfig, "baseUrl">;
}

/** One variable, or several, can't be used. The messages name the variables and never their values. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[], cause?: unknown) {
    super(problems.join("\n"), { cause });
    this.problems = problems;
  }
}

const METHODS = ["client_secret_basic", "client_secret_post", "none"] as const;
const LOOPBACK = ["127.0.0.1", "localhost", "::1"];

/** Reads PORT, HOST and BASE_URL, and adds to the problems what is wrong with them. */
export function readPlace(environment: Readonly<Record<string, string | undefined>>, problems: string[]): Place {
  const port = environment["PORT"] || "3000";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) problems.push("PORT: has to be a whole number from 0 to 65535");

  const host = environment["HOST"] || "127.0.0.1";
  const baseUrl = environment["BASE_URL"] || undefined;
  if (baseUrl === undefined && !LOOPBACK.includes(host))
    problems.push("BASE_URL: has to be set where HOST is not a loopback address");
  return { port: Number(port), host, baseUrl };
}

/**
 * Reads the configuration. A variable that is set to nothing counts as not set.
 *
 * What the values themselves have to be like is checked where they are used: see {@link inWordsOfTheEnvironment}.
 *
 * @throws {EnvironmentError} with everything that is missing or can't be understood
 */
export function readConfiguration(environment: Readonly<Record<string, string | undefined>>): Configuration {
  const problems: string[] = [];
  const read = (name: Variable): string | undefined => environment[name] || undefined;
  const demand = (name: Variable): string => {
    const value = read(name);
    if (value === undefined) problems.push(`${name}: has to be set`);
    return value ?? "";
  };

  const place = readPlace(environment, problems);

  const method = METHODS.find((known) => known === (read("UPSTREAM_AUTH_METHOD") ?? "client_secret_basic"));
  if (method === undefined) problems.push(`UPSTREAM_AUTH_METHOD: has to be one of ${METHODS.join(", ")}`);

  const scopes = list(read("UPSTREAM_SCOPES") ?? "openid profile email", /[\s,]+/);
  const auth = {
    upstreamAuthorizationEndpoint: demand("UPSTREAM_AUTHORIZATION_ENDPOINT"),
    upstreamTokenEndpoint: demand("UPSTREAM_TOKEN_ENDPOINT"),
    upstreamUserinfoEndpoint: read("UPSTREAM_USERINFO_ENDPOINT"),
    upstreamIssuer: read("UPSTREAM_ISSUER"),
    upstreamClientId: demand("UPSTREAM_CLIENT_ID"),
    upstreamClientSecret: method === "none" ? (read("UPSTREAM_CLIENT_SECRET") ?? "") : demand("UPSTREAM_CLIENT_SECRET"),
    upstreamTokenEndpointAuthMethod: method ?? "client_secret_basic",
    scopes,
    // OpenID Connect Core §11: without this a provider gives no refresh token, however clearly it is asked for one.
    ...(scopes.includes("offline_access") ? { extraAuthorizationParams: { prompt: "consent" } } : {}),
    secret: read("SALLYPORT_SECRET"),
    jwtSigningKey: read("JWT_SIGNING_KEY"),
    allowedRedirectUriPatterns: list(read("ALLOWED_REDIRECT_URIS") ?? "", ","),
  };

  if (problems.length > 0) throw new EnvironmentError(problems);
  return {
    ...place,
    storage: read("STORAGE") ?? "memory",
    adapter: read("ADAPTER") ?? "node-http",
    userinfoEndpoint: auth.upstreamUserinfoEndpoint,
    auth,
  };
}

const VARIABLE_OF_OPTION: Readonly<Record<string, Variable>> = {
  baseUrl: "BASE_URL",
  upstreamAuthorizationEndpoint: "UPSTREAM_AUTHORIZATION_ENDPOINT",
  upstreamTokenEndpoint: "UPSTREAM_TOKEN_ENDPOINT",
  upstreamUserinfoEndpoint: "UPSTREAM_USERINFO_ENDPOINT",
  upstreamIssuer: "UPSTREAM_ISSUER",
  upstreamClientId: "UPSTREAM_CLIENT_ID",
  upstreamClientSecret: "UPSTREAM_CLIENT_SECRET",
  upstreamTokenEndpointAuthMethod: "UPSTREAM_AUTH_METHOD",
  scopes: "UPSTREAM_SCOPES",
  secret: "SALLYPORT_SECRET",
  jwtSigningKey: "JWT_SIGNING_KEY",
  allowedRedirectUriPatterns: "ALLOWED_REDIRECT_URIS",
};

/** Says which variable an option came from, where the authorization server refuses one; anything else is given back as it is. */
export function inWordsOfTheEnvironment(error: unknown): unknown {
  if (!(error instanceof ConfigurationError)) return error;
  const variable = VARIABLE_OF_OPTION[error.option.replace(/\[.*$/, "")];
  if (variable === undefined) return error;
  return new EnvironmentError([variable + error.message.slice(error.message.indexOf(":"))], error);
}

function list(value: string, separator: string | RegExp): string[] {
  return value
    .split(separator)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
