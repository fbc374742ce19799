/** Who the clients are: configured by the operator, registered in their own signed id, or stored. RFC 6749 §2, RFC 7591. */

import type { ClientCredentials } from "../protocol/client-authentication.ts";
import type { ClientMetadata, GrantTypeName, TokenEndpointAuthMethod } from "../protocol/client-metadata.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { knownClientOf } from "../protocol/known-callbacks.ts";
import { isLoopbackRedirectUri, matchesRedirectUri, redirectUriHost } from "../protocol/redirect-uri.ts";
import type { Runtime } from "../runtime.ts";
import type { Collection, Entry } from "../state/collection.ts";
import { ClientRedirect } from "./client-redirect.ts";
import type { Observe } from "./events.ts";
import { equal, type Keys, sign, verify } from "./keys.ts";
import { formatSignedClientId, NONCE_BYTES, parseSignedClientId } from "./signed-client-id.ts";

/** A client that was found. */
export interface Client {
  readonly clientId: string;
  readonly clientName: string | undefined;
  readonly redirectUris: readonly string[];
  /** The only way in which it may authenticate; a configured client with a secret may use either of the two that need one. */
  readonly authMethods: readonly TokenEndpointAuthMethod[];
  readonly grantTypes: readonly GrantTypeName[];
  /** Configured by the operator; anything else describes itself. */
  readonly configured: boolean;
  /** The operator vouches for it: no consent page. */
  readonly trusted: boolean;
  /** Where the client is configured: what its secret is compared with. */
  readonly clientSecret: string | undefined;
}

/** A client registration that is kept in the storage. */
export interface StoredClient {
  readonly metadata: ClientMetadata;
  readonly issuedAt: number;
  /** Seconds since 1970, to the day; absent until a code has been redeemed. */
  readonly usedAt?: number | undefined;
}

/** What the operator admits. */
export interface RegistrationPolicy {
  readonly enabled: boolean;
  /** Keep every registration in the storage. */
  readonly store: boolean;
  /** Admit the callbacks of well-known clients. */
  readonly knownClients: boolean;
  readonly patterns: readonly ((redirectUri: string) => boolean)[];
}

export interface ClientsOptions {
  readonly collection: Collection<StoredClient>;
  readonly configured: readonly Client[];
  readonly idKeys: Keys;
  readonly secretKeys: Keys;
  readonly policy: RegistrationPolicy;
  readonly runtime: Runtime;
  readonly observe: Observe;
}

const DAY = 86_400;
/** A stored registration that is never used goes away after this. */
const UNUSED_TTL = DAY;
/** One that is used goes away this long after its last use. */
const USED_TTL = 90 * DAY;
const STORED_ID = /^sp_cs_[A-Za-z0-9_-]{22}$/;

/** The clients of one server. */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #configured: ReadonlyMap<string, Client>;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#configured = new Map(options.configured.map((client) => [client.clientId, client]));
  }

  /**
   * Registers a client: its metadata becomes its id, or a record where it doesn't fit.
   *
   * @throws {OAuthProxyError} `registration_disabled`, `redirect_uri_refused`, which names the first refused host
   */
  async register(
    metadata: ClientMetadata,
  ): Promise<{ clientId: string; clientSecret: string | undefined; issuedAt: number }> {
    const { policy, idKeys, secretKeys, runtime, collection, observe } = this.#options;
    if (!policy.enabled) throw new OAuthProxyError("registration_disabled");
    for (const uri of metadata.redirectUris) this.#admit(uri);

    const issuedAt = runtime.now();
    const nonce = runtime.randomBytes(NONCE_BYTES);
    const signedId = policy.store ? undefined : formatSignedClientId(idKeys, { metadata, issuedAt, nonce });
    const clientId = signedId ?? `sp_cs_${Buffer.from(runtime.randomBytes(16)).toString("base64url")}`;
    if (signedId === undefined)
      await collection.save(clientId, { metadata: { ...metadata, scope: undefined }, issuedAt }, UNUSED_TTL);
    observe({ type: "client.registered", clientId, clientName: metadata.clientName, stored: signedId === undefined });

    const needsSecret = metadata.tokenEndpointAuthMethod !== "none";
    return { clientId, clientSecret: needsSecret ? secretOf(secretKeys, clientId) : undefined, issuedAt };
  }

  /** Finds a client. Only one that is stored costs a read. @throws {OAuthProxyError} `client_unknown` */
  async find(clientId: string): Promise<Client> {
    const configured = this.#configured.get(clientId);
    if (configured !== undefined) return configured;
    const signed = parseSignedClientId(this.#options.idKeys, clientId);
    if (signed !== undefined) return toClient(clientId, signed.metadata);
    const stored = await this.#stored(clientId);
    if (stored !== undefined) return toClient(clientId, stored.value.metadata);
    throw new OAuthProxyError("client_unknown");
  }

  /**
   * The client that a request to the token or revocation endpoint comes from.
   *
   * @throws {OAuthProxyError} `client_unknown`, `client_auth_method`, `client_credentials_wrong`
   */
  async authenticate(credentials: ClientCredentials): Promise<Client> {
    let refusal = new OAuthProxyError("client_unknown");
    for (const candidate of credentials.candidates) {
      try {
        const client = await this.find(candidate.clientId);
        // RFC 7591 §2: the registered method and no other. A client that was given a secret must not get by without it, and a public one that shows
        // a secret has been mistaken for another.
        if (!client.authMethods.includes(credentials.method)) throw new OAuthProxyError("client_auth_method");
        if (credentials.method !== "none" && !this.#provesSecret(client, candidate.clientSecret ?? "")) {
          throw new OAuthProxyError("client_credentials_wrong");
        }
        return client;
      } catch (error) {
        if (!(error instanceof OAuthProxyError) || error.code !== "invalid_client") throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  /** Lets a stored registration live on, at most once a day. */
  async used(clientId: string): Promise<void> {
    if (!STORED_ID.test(clientId)) return;
    const stored = await this.#stored(clientId);
    const now = this.#options.runtime.now();
    if (stored === undefined || (stored.value.usedAt !== undefined && now - stored.value.usedAt < DAY)) return;
    await this.#options.collection.replace(clientId, stored, { ...stored.value, usedAt: now }, USED_TTL);
  }

  /**
   * The one place where a redirect URI is proven, and so the only one that gives out the right to redirect to it.
   *
   * @throws {OAuthProxyError} `redirect_uri_missing`, `redirect_uri_unregistered`
   */
  proveRedirect(
    client: Client,
    redirectUri: string | undefined,
    state: string | undefined,
    issuer: string,
  ): ClientRedirect {
    if (redirectUri === undefined) {
      const [only, ...more] = client.redirectUris;
      // RFC 6749 §3.1.2.3: it may be left out only where there is nothing to choose.
      if (only === undefined || more.length > 0) throw new OAuthProxyError("redirect_uri_missing");
      return new ClientRedirect(only, state, issuer);
    }
    // RFC 9700 §2.1: exact comparison, but for the port of a loopback address (RFC 8252 §7.3). Anything looser sends codes to strangers.
    if (!client.redirectUris.some((registered) => matchesRedirectUri(redirectUri, registered))) {
      throw new OAuthProxyError("redirect_uri_unregistered");
    }
    return new ClientRedirect(redirectUri, state, issuer);
  }

  #admit(uri: string): void {
    const { policy } = this.#options;
    if (isLoopbackRedirectUri(uri)) return;
    if (policy.knownClients && knownClientOf(uri) !== undefined) return;
    if (policy.patterns.some((admits) => admits(uri))) return;
    throw new OAuthProxyError("redirect_uri_refused", {
      // The host alone, in normal form and so without anything that could break a log line: a person has to see which of several it was.
      description: `The redirect URI at ${redirectUriHost(uri)} is not admitted. The operator can admit it with allowedRedirectUriPatterns.`,
    });
  }

  #provesSecret(client: Client, secret: string): boolean {
    if (client.configured) return client.clientSecret !== undefined && equal(secret, client.clientSecret);
    return (
      secret.startsWith(SECRET_PREFIX) &&
      verify(this.#options.secretKeys, secret.slice(SECRET_PREFIX.length), client.clientId)
    );
  }

  async #stored(clientId: string): Promise<Entry<StoredClient> | undefined> {
    return STORED_ID.test(clientId) ? this.#options.collection.get(clientId) : undefined;
  }
}

const SECRET_PREFIX = "sp_cp_";

function secretOf(keys: Keys, clientId: string): string {
  return SECRET_PREFIX + sign(keys, clientId);
}

function toClient(clientId: string, metadata: ClientMetadata): Client {
  return {
    clientId,
    clientName: metadata.clientName,
    redirectUris: metadata.redirectUris,
    authMethods: [metadata.tokenEndpointAuthMethod],
    grantTypes: metadata.grantTypes,
    configured: false,
    trusted: false,
    clientSecret: undefined,
  };
}
