/** Puts the parts of one server together. */
import { AccessTokens } from "./domain/access-tokens.ts";
import { PassedThroughBearers, SwappedBearers } from "./domain/bearers.ts";
import { BrowserBinding } from "./domain/browser-binding.ts";
import { Clients, type StoredClient } from "./domain/clients.ts";
import { type CodeRecord, Codes } from "./domain/codes.ts";
import { ConnectedGrants } from "./domain/connected-grants.ts";
import type { Engine } from "./domain/engine.ts";
import type { Observe } from "./domain/events.ts";
import { type GrantRecord, Grants } from "./domain/grants.ts";
import type { KeyPurpose, Keys } from "./domain/keys.ts";
import { ScopePolicy } from "./domain/scope-policy.ts";
import { SignIns } from "./domain/sign-ins.ts";
import { HmacSigner } from "./domain/signer.ts";
import { type HandedOut, PassThrough, TokenSwap } from "./domain/token-issuance.ts";
import { type Transaction, Transactions } from "./domain/transactions.ts";
import { UpstreamSessions } from "./domain/upstream-sessions.ts";
import type { OAuthProxyConfig, Settings } from "./options.ts";
import type { Runtime } from "./runtime.ts";
import { Collection } from "./state/collection.ts";
import type { KeyRing } from "./state/sealing.ts";
import type { AtomicTokenStorage } from "./state/token-storage.ts";
import { OAuthUpstream } from "./upstream/oauth-upstream.ts";

export interface EngineParts {
  readonly config: OAuthProxyConfig;
  readonly settings: Settings;
  readonly keys: Readonly<Record<KeyPurpose, Keys>>;
  readonly storage: AtomicTokenStorage;
  readonly ring: KeyRing | undefined;
  readonly runtime: Runtime;
  readonly observe: Observe;
}

/** Everything that the endpoints work with. */
export function createEngine({ config, settings, keys, storage, ring, runtime, observe }: EngineParts): Engine {
  const { issuer, ttl } = settings;
  const reported = new Set<string>();
  const collection = <T>(prefix: string) =>
    new Collection<T>({
      storage,
      prefix,
      ring,
      onUnreadable: ({ why }) => {
        // Once per kind: with a wrong key it is every record, and the first says all.
        if (reported.has(`${prefix} ${why}`)) return;
        reported.add(`${prefix} ${why}`);
        observe({ type: "storage.unreadable", why, prefix });
      },
    });

  const identityProvider = new OAuthUpstream({
    authorizationEndpoint: config.upstreamAuthorizationEndpoint,
    tokenEndpoint: config.upstreamTokenEndpoint,
    userinfoEndpoint: config.upstreamUserinfoEndpoint,
    revocationEndpoint: config.upstreamRevocationEndpoint,
    issuer: config.upstreamIssuer,
    clientId: config.upstreamClientId,
    clientSecret: config.upstreamClientSecret,
    authMethod: config.upstreamTokenEndpointAuthMethod ?? "client_secret_basic",
    redirectUri: settings.urls.callback,
    extraAuthorizationParams: config.extraAuthorizationParams ?? {},
    claims: settings.claims,
    requestTimeoutMs: settings.upstreamRequestTimeoutMs,
    runtime,
  });
  const clients = new Clients({
    collection: collection<StoredClient>("client"),
    configured: settings.clients,
    idKeys: keys["client-id"],
    secretKeys: keys["client-secret"],
    policy: settings.registration,
    runtime,
    observe,
  });
  const grants: Grants = new Grants({
    collection: collection<GrantRecord>("grant"),
    keys: keys["refresh-token"],
    runtime,
    observe,
    ...ttl,
    revoke: (grantId, entry, because) => upstreamSessions.end(grantId, entry, because),
  });
  const upstreamSessions: UpstreamSessions = new UpstreamSessions({
    grants,
    leases: collection<string>("lease"),
    identityProvider,
    runtime,
    observe,
    upstreamRequestTimeoutMs: settings.upstreamRequestTimeoutMs,
  });
  const codes = new Codes({
    collection: collection<CodeRecord>("code"),
    redemptions: collection<string>("redemption"),
    grants,
    subjectKeys: keys["grant-subject"],
    runtime,
    observe,
    authorizationCodeTtl: ttl.authorizationCodeTtl,
    revoke: (grantId, entry, because) => upstreamSessions.end(grantId, entry, because),
  });
  const transactions = new Transactions({
    collection: collection<Transaction>("transaction"),
    finished: collection<true>("finished"),
    keys: keys.transaction,
    runtime,
    transactionTtl: ttl.transactionTtl,
  });
  const browserBinding = new BrowserBinding({ keys: keys.consent, runtime, secure: settings.secure, ...ttl });
  const signIns = new SignIns({ identityProvider, tokenVerifier: config.tokenVerifier, runtime, observe });

  const tokens = createTokens();
  return {
    issuer,
    resources: settings.resources,
    forwardPkce: config.forwardPkce ?? false,
    consentRequired: config.consentRequired ?? true,
    runtime,
    observe,
    scopes: new ScopePolicy(settings.scopes, settings.resourceScopes, settings.defaultScopes),
    clients,
    transactions,
    browserBinding,
    identityProvider,
    signIns,
    codes,
    grants,
    upstreamSessions,
    connectedGrants: new ConnectedGrants({
      grants,
      upstreamSessions,
      subjectKeys: keys["grant-subject"],
      now: runtime.now,
    }),
    ...tokens,
  };

  function createTokens(): Pick<Engine, "issuance" | "bearers"> {
    if (config.enableTokenSwap === false) {
      const issuance = new PassThrough(collection<HandedOut>("handed-out"), runtime, ttl.accessTokenTtl);
      return { issuance, bearers: new PassedThroughBearers(issuance, grants, config.tokenVerifier) };
    }
    const signer = new HmacSigner(keys["access-token"]);
    const accessTokens = new AccessTokens({ signer, grants, runtime, issuer, accessTokenTtl: ttl.accessTokenTtl });
    return { issuance: new TokenSwap(accessTokens), bearers: new SwappedBearers(accessTokens) };
  }
}
