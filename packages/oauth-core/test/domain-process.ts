/** The domain without HTTP: processes over one storage, each with a clock of its own, and an identity provider that does as it is told. */
import { createHash } from "node:crypto";
import { AccessTokens } from "../src/domain/access-tokens.ts";
import { Admission } from "../src/domain/admission.ts";
import type { ClaimsPolicy } from "../src/domain/claims.ts";
import { type CodeRecord, Codes } from "../src/domain/codes.ts";
import type { Happening, Observe } from "../src/domain/events.ts";
import { type GrantRecord, Grants, type NewGrant } from "../src/domain/grants.ts";
import type { Identity, IdentityProvider, UpstreamTokens } from "../src/domain/identity-provider.ts";
import { IdentityProviders } from "../src/domain/identity-providers.ts";
import { deriveKeys } from "../src/domain/keys.ts";
import { HmacSigner, type Signer } from "../src/domain/signer.ts";
import { type Transaction, Transactions } from "../src/domain/transactions.ts";
import { UpstreamSessions } from "../src/domain/upstream-sessions.ts";
import type { Runtime } from "../src/runtime.ts";
import { AvailableStorage } from "../src/state/available-storage.ts";
import { Collection } from "../src/state/collection.ts";
import { MemoryTokenStorage } from "../src/state/memory-token-storage.ts";
import { KeyRing } from "../src/state/sealing.ts";
import { UnreliableStorage } from "./unreliable-storage.ts";

export const ISSUER = "https://mcp.example.com";
export const RESOURCE = `${ISSUER}/mcp`;
export const CLIENT_ID = "the client";

/** All claims, but those with a meaning in a protocol. */
export const CLAIMS: ClaimsPolicy = {
  fromAccessToken: true,
  fromIdToken: true,
  claimPrefix: false,
  allowedClaims: undefined,
  blockedClaims: new Set(),
  maxClaimValueSize: 2000,
  allowComplexClaims: false,
};

/** An upstream whose every refresh rotates the refresh token, and which forgets the one before. */
export class ScriptedProvider implements IdentityProvider {
  readonly refreshed: UpstreamTokens[] = [];
  readonly revoked: UpstreamTokens[] = [];
  /** What a refresh does; replace it to break it. */
  answer: (tokens: UpstreamTokens, subject: string) => Identity | Promise<Identity>;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.answer = (_, subject) => ({ subject, claims: {}, tokens: this.tokens() });
  }

  /** Tokens for an hour. */
  tokens(change: Partial<UpstreamTokens> = {}): UpstreamTokens {
    const issuedAt = this.#now();
    const serial = this.refreshed.length;
    return {
      accessToken: `access-${serial}`,
      refreshToken: `refresh-${serial}`,
      tokenType: "Bearer",
      scope: ["read"],
      issuedAt,
      expiresAt: issuedAt + 3600,
      ...change,
    };
  }

  async refresh(tokens: UpstreamTokens, subject: string): Promise<Identity> {
    this.refreshed.push(tokens);
    return this.answer(tokens, subject);
  }

  async revoke(tokens: UpstreamTokens): Promise<void> {
    this.revoked.push(tokens);
  }

  begin(): string {
    throw new Error("nobody signs in here");
  }

  checkIssuer(): void {
    throw new Error("nobody signs in here");
  }

  complete(): Promise<Identity> {
    throw new Error("nobody signs in here");
  }
}

export interface ProcessOptions {
  /** How far this process's clock is off, in seconds. */
  readonly clock?: number;
  readonly refreshTokenGracePeriod?: number;
  readonly refreshTokenTtl?: number;
  readonly accessTokenTtl?: number;
  readonly revocationCheckTtl?: number;
  readonly signer?: Signer;
  /** What waiting for another process does to the world. */
  readonly pause?: (milliseconds: number) => void;
}

const KEYS = deriveKeys({
  secrets: ["kY7pQ2vX9mB4nR8tW1zC6dF3gH5jL0sA"],
  jwtSigningKey: undefined,
  encryptionKey: undefined,
  consentSigningKey: undefined,
  upstreamClientSecret: "",
  issuer: ISSUER,
});

/** What all processes share: the storage, its clock, the upstream, the log. */
export class DomainWorld {
  now = 1_800_000_000;
  readonly storage = new UnreliableStorage(new MemoryTokenStorage({ now: () => this.now }));
  readonly provider = new ScriptedProvider(() => this.now);
  readonly happenings: Happening[] = [];
  #random = 0;

  process(options: ProcessOptions = {}): DomainProcess {
    return new DomainProcess(this, options);
  }

  /** How often something happened. */
  count(type: Happening["type"]): number {
    return this.happenings.filter((happening) => happening.type === type).length;
  }

  /** Never the same bytes twice, and the same in every run. */
  randomBytes(size: number): Uint8Array {
    return createHash("shake256", { outputLength: size })
      .update(String(this.#random++))
      .digest();
  }

  newGrant(change: Partial<NewGrant> = {}): NewGrant {
    return {
      clientId: CLIENT_ID,
      subject: "alice",
      scope: ["read"],
      resources: [RESOURCE],
      claims: {},
      upstream: this.provider.tokens(),
      refreshable: true,
      salt: Buffer.from(this.randomBytes(18)).toString("base64url"),
      generation: 0,
      firstUses: [],
      createdAt: this.now,
      expiresAt: this.now + 2_592_000,
      traceId: "trace",
      ...change,
    };
  }
}

/** One process. */
export class DomainProcess {
  readonly runtime: Runtime;
  readonly grants: Grants;
  readonly codes: Codes;
  readonly sessions: UpstreamSessions;
  readonly transactions: Transactions;
  readonly accessTokens: AccessTokens;

  constructor(world: DomainWorld, options: ProcessOptions) {
    const { clock = 0, pause = () => undefined, signer = new HmacSigner(KEYS["access-token"]), ...ttl } = options;
    const runtime: Runtime = {
      now: () => world.now + clock,
      randomBytes: (size) => world.randomBytes(size),
      pause: async (milliseconds) => {
        await new Promise((resolve) => setImmediate(resolve));
        pause(milliseconds);
      },
      fetch: () => Promise.reject(new Error("nobody fetches here")),
    };
    const observe: Observe = (happening) => world.happenings.push(happening);
    const ring = new KeyRing(KEYS.storage);
    const storage = new AvailableStorage(world.storage);
    const collection = <T>(prefix: string) => new Collection<T>({ storage, prefix, ring });
    const ttls = {
      refreshTokenTtl: 2_592_000,
      refreshTokenGracePeriod: 120,
      accessTokenTtl: 3600,
      authorizationCodeTtl: 300,
      revocationCheckTtl: 5,
      ...ttl,
    };
    const grants: Grants = new Grants({
      collection: collection<GrantRecord>("grant"),
      keys: KEYS["refresh-token"],
      runtime,
      observe,
      ...ttls,
      revoke: (grantId, entry, because) => sessions.end(grantId, entry, because),
    });
    const sessions: UpstreamSessions = new UpstreamSessions({
      grants,
      leases: collection<string>("lease"),
      identityProviders: new IdentityProviders([
        {
          id: "upstream",
          name: "id.example.com",
          scopes: ["read"],
          qualified: false,
          identityProvider: world.provider,
        },
      ]),
      admission: new Admission(undefined),
      claims: CLAIMS,
      runtime,
      observe,
      upstreamRequestTimeoutMs: 10_000,
    });
    this.runtime = runtime;
    this.grants = grants;
    this.sessions = sessions;
    this.codes = new Codes({
      collection: collection<CodeRecord>("code"),
      redemptions: collection<string>("redemption"),
      grants,
      subjectKeys: KEYS["grant-subject"],
      runtime,
      observe,
      authorizationCodeTtl: ttls.authorizationCodeTtl,
      revoke: (grantId, entry, because) => sessions.end(grantId, entry, because),
    });
    this.transactions = new Transactions({
      collection: collection<Transaction>("transaction"),
      finished: collection<true>("finished"),
      keys: KEYS.transaction,
      runtime,
      transactionTtl: 600,
    });
    this.accessTokens = new AccessTokens({
      signer,
      grants,
      runtime,
      issuer: ISSUER,
      accessTokenTtl: ttls.accessTokenTtl,
    });
  }
}
