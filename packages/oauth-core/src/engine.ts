/** Puts the parts of one server together. */

import { AccessTokens } from "./domain/access-tokens.ts";
import { AccountStanding } from "./domain/account-standing.ts";
import { Admission } from "./domain/admission.ts";
import { Approvals } from "./domain/approvals.ts";
import { PassedThroughBearers, SwappedBearers } from "./domain/bearers.ts";
import { BrowserBinding } from "./domain/browser-binding.ts";
import { Clients, type StoredClient } from "./domain/clients.ts";
import { type CodeRecord, Codes } from "./domain/codes.ts";
import { ConnectedGrants } from "./domain/connected-grants.ts";
import type { Engine } from "./domain/engine.ts";
import type { Observe } from "./domain/events.ts";
import { type GrantRecord, Grants } from "./domain/grants.ts";
import { IdentityProviders, type OfferedProvider } from "./domain/identity-providers.ts";
import { type KeyMarks, KeyWatch } from "./domain/key-watch.ts";
import { type KeyPurpose, type Keys, mac } from "./domain/keys.ts";
import { ScopePolicy } from "./domain/scope-policy.ts";
import { SignIns } from "./domain/sign-ins.ts";
import { HmacSigner, type PublishingSigner } from "./domain/signer.ts";
import { type HandedOut, PassThrough, TokenSwap } from "./domain/token-issuance.ts";
import { type LinkTransaction, type Transaction, Transactions } from "./domain/transactions.ts";
import { UpstreamSessions } from "./domain/upstream-sessions.ts";
import type { OAuthProxyConfig, Settings } from "./options.ts";
import { ConfigurationError } from "./protocol/errors.ts";
import type { ProviderSetting } from "./provider-options.ts";
import type { Runtime } from "./runtime.ts";
import { Collection } from "./state/collection.ts";
import type { KeyRing } from "./state/sealing.ts";
import type { AtomicTokenStorage } from "./state/token-storage.ts";

export interface EngineParts {
  readonly config: OAuthProxyConfig;
  readonly settings: Settings;
  readonly keys: Readonly<Record<KeyPurpose, Keys>>;
  readonly storage: AtomicTokenStorage;
  readonly ring: KeyRing | undefined;
  /** What the records of identity providers are sealed with. */
  readonly providerRing: KeyRing | undefined;
  /** Whether what lies in the storage is sealed: with `ring`, or by the storage itself. */
  readonly sealed: boolean;
  readonly runtime: Runtime;
  readonly observe: Observe;
}

/** Everything that the endpoints work with. */
export function createEngine(parts: EngineParts): Engine {
  const { config, settings, keys, storage, runtime, observe } = parts;
  const { issuer, ttl } = settings;
  const reported = new Set<string>();
  const collection = <T>(prefix: string, ring = parts.ring) =>
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

  const identityProviders = createProviders(parts, <T>(prefix: string) => collection<T>(prefix, parts.providerRing));
  const admission = new Admission(config.allow);
  const { claims } = settings;
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
    identityProviders,
    admission,
    claims,
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
    collection: collection<Transaction | LinkTransaction>("transaction"),
    finished: collection<true>("finished"),
    keys: keys.transaction,
    runtime,
    transactionTtl: ttl.transactionTtl,
  });
  const browserBinding = new BrowserBinding({ keys: keys.consent, runtime, secure: settings.secure, ...ttl });
  const { tokenVerifier, linkSubject } = config;
  const signIns = new SignIns({ tokenVerifier, claims, admission, linkSubject, identityProviders, runtime, observe });

  const publishingSigner: PublishingSigner | undefined = config.signing?.signer({
    records: parts.sealed ? collection<unknown>("signing-key") : undefined,
    runtime,
    tokenTtl: ttl.accessTokenTtl,
    observe,
  });
  const signsItself = publishingSigner === undefined && config.enableTokenSwap !== false;
  const tokens = createTokens();
  return {
    issuer,
    resources: settings.resources,
    forwardPkce: config.forwardPkce ?? false,
    consentRequired: config.consentRequired ?? true,
    runtime,
    observe,
    scopes: new ScopePolicy(
      [...new Set(identityProviders.all.flatMap(({ scopes }) => scopes))],
      settings.resourceScopes,
      settings.defaultScopes,
    ),
    clients,
    transactions,
    browserBinding,
    approvals: new Approvals({ browserBinding, transactions, identityProviders }),
    identityProviders,
    signIns,
    codes,
    grants,
    upstreamSessions,
    accountStanding: new AccountStanding({ identityProviders, grants, upstreamSessions, admission, claims, observe }),
    connectedGrants: new ConnectedGrants({
      grants,
      upstreamSessions,
      subjectKeys: keys["grant-subject"],
      now: runtime.now,
    }),
    publishingSigner,
    keyWatch: new KeyWatch({
      collection: collection<KeyMarks>("key-marks"),
      // Where something else signs, nothing depends on this key.
      keys: { ...keys, "access-token": signsItself ? keys["access-token"] : undefined },
      runtime,
      observe,
      lifetime: ttl.refreshTokenTtl,
    }),
    ...tokens,
  };

  function createTokens(): Pick<Engine, "issuance" | "bearers"> {
    if (config.enableTokenSwap === false) {
      const issuance = new PassThrough(collection<HandedOut>("handed-out"), runtime, ttl.accessTokenTtl);
      return { issuance, bearers: new PassedThroughBearers(issuance, grants, config.tokenVerifier) };
    }
    const signer = publishingSigner ?? new HmacSigner(keys["access-token"]);
    const accessTokens = new AccessTokens({ signer, grants, runtime, issuer, accessTokenTtl: ttl.accessTokenTtl });
    return { issuance: new TokenSwap(accessTokens), bearers: new SwappedBearers(accessTokens) };
  }
}

/** Each with its own callback: RFC 9700 §4.4.2. */
function createProviders(
  { config, settings, keys, runtime, observe }: EngineParts,
  collection: <T>(prefix: string) => Collection<T>,
): IdentityProviders {
  const [first, ...others] = settings.providers;
  const offer = ({ provider, qualified, redirectUri }: ProviderSetting): OfferedProvider => ({
    id: provider.id,
    name: provider.name,
    scopes: provider.scopes,
    requiredScopes: provider.requiredScopes,
    qualified,
    identityProvider: provider.create({
      redirectUri,
      requestTimeoutMs: settings.upstreamRequestTimeoutMs,
      runtime,
      records: <T>(kind: string) => collection<T>(`at-${provider.id}-${kind}`),
      keys: keysOf(keys.provider, provider.id),
      warn: (message) => observe({ type: "warning", message }),
    }),
  });
  const identityProviders = new IdentityProviders([offer(first), ...others.map(offer)]);
  if (config.enableTokenSwap === false && identityProviders.accounts !== undefined)
    throw new ConfigurationError("enableTokenSwap", "accounts of our own have no tokens that could be passed on");
  return identityProviders;
}

/** One provider's own: none can make what another one signed. */
function keysOf([first, ...others]: Keys, providerId: string): Keys {
  return [mac(first, providerId), ...others.map((key) => mac(key, providerId))];
}
