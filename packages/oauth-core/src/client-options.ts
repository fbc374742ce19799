/** The options that say which clients there are: registered by hand, or by themselves. */
import type { Client, RegistrationPolicy } from "./domain/clients.ts";
import type { GrantTypeName, TokenEndpointAuthMethod } from "./protocol/client-metadata.ts";
import { ConfigurationError, OAuthProxyError } from "./protocol/errors.ts";
import { parseRedirectUri } from "./protocol/redirect-uri.ts";
import { compileRedirectUriPattern } from "./protocol/redirect-uri-pattern.ts";

/** A client that the operator registered by hand. */
export interface ConfiguredClient {
  clientId: string;
  /** Makes it a confidential client, which may use `client_secret_basic` or `client_secret_post`. Default: none, a public client. */
  clientSecret?: string | undefined;
  clientName?: string | undefined;
  /** Compared exactly, but for the port of a loopback address. Private schemes are allowed. */
  redirectUris: readonly string[];
  /** Limits a confidential client to one method. */
  tokenEndpointAuthMethod?: TokenEndpointAuthMethod | undefined;
  /** Default: both. */
  grantTypes?: readonly GrantTypeName[] | undefined;
  /**
   * The operator vouches for it: people are not asked. Default: false.
   *
   * Danger: never for a client whose redirect URI anybody else can receive, a loopback address above all.
   */
  trusted?: boolean | undefined;
}

/** How clients may register themselves. */
export interface RegistrationConfig {
  /** Keep each registration in the storage instead of in a signed client id: 24 hours until its first use, then 90 days from the last. Default: false. */
  store?: boolean;
  /** Admit the callbacks of well-known hosted clients (Claude, ChatGPT, Cursor, VS Code, …). Default: true. */
  knownClients?: boolean;
}

/** Resolves `clients`. @throws {ConfigurationError} */
export function clientsOption(clients: readonly ConfiguredClient[]): readonly Client[] {
  const ids = clients.map(({ clientId }) => clientId);
  const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
  if (twice !== -1) throw new ConfigurationError(`clients[${twice}].clientId`, "stands in the list twice");
  return clients.map(clientOption);
}

function clientOption(client: ConfiguredClient, index: number): Client {
  const option = `clients[${index}]`;
  if (typeof client.clientId !== "string" || !/^[\x20-\x7e]{1,255}$/.test(client.clientId))
    throw new ConfigurationError(`${option}.clientId`, "must be printable ASCII");
  if (client.redirectUris.length === 0)
    throw new ConfigurationError(`${option}.redirectUris`, "at least one is needed");
  if (client.clientSecret === "") throw new ConfigurationError(`${option}.clientSecret`, "is empty");
  const confidential = client.clientSecret !== undefined;
  const method = client.tokenEndpointAuthMethod;
  if (method !== undefined && confidential !== (method !== "none")) {
    throw new ConfigurationError(
      `${option}.tokenEndpointAuthMethod`,
      "does not fit to whether there is a clientSecret",
    );
  }
  return {
    clientId: client.clientId,
    clientName: client.clientName,
    redirectUris: client.redirectUris.map((uri, at) => redirectUriOption(`${option}.redirectUris[${at}]`, uri)),
    authMethods:
      method !== undefined ? [method] : confidential ? ["client_secret_basic", "client_secret_post"] : ["none"],
    grantTypes: client.grantTypes ?? ["authorization_code", "refresh_token"],
    configured: true,
    trusted: client.trusted ?? false,
    clientSecret: client.clientSecret,
  };
}

function redirectUriOption(option: string, uri: string): string {
  try {
    return parseRedirectUri(uri);
  } catch (error) {
    if (!(error instanceof OAuthProxyError)) throw error;
    throw new ConfigurationError(option, error.description);
  }
}

/** Resolves `registration` and `allowedRedirectUriPatterns`. @throws {ConfigurationError} */
export function registrationOption({
  registration = true,
  allowedRedirectUriPatterns = [],
}: {
  readonly registration?: boolean | RegistrationConfig;
  readonly allowedRedirectUriPatterns?: readonly string[];
}): RegistrationPolicy {
  const { store = false, knownClients = true } = typeof registration === "object" ? registration : {};
  return {
    enabled: registration !== false,
    store,
    knownClients,
    patterns: allowedRedirectUriPatterns.map(compileRedirectUriPattern),
  };
}
