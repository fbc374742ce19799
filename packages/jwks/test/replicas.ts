/** Replicas of one server: one storage, sealed as the core seals it, a clock each, and whatever they tell. */
import {
  MemoryTokenStorage,
  type PublishingSigner,
  type SigningHappening,
  type SigningKeyRecords,
} from "@sallyport/oauth-core";
import { Collection } from "../../oauth-core/src/state/collection.ts";
import { KeyRing } from "../../oauth-core/src/state/sealing.ts";
import { SigningKeys, type SigningKeysConfig } from "../src/index.ts";

export const DAY = 86_400;
export const RECORD = "signing-key:current";
export const TOKEN_TTL = 3600;

export class Replicas {
  now = 1_800_000_000;
  readonly storage = new MemoryTokenStorage({ now: () => this.now });
  readonly happenings: SigningHappening[] = [];
  /** What is called before each call of the storage; may reject. */
  before: (verb: "get" | "claim" | "replace") => Promise<void> | void = () => undefined;
  /** What is called when the storage has read, before anybody is told what. */
  afterGet: () => Promise<void> | void = () => undefined;
  calls = 0;

  /** One more replica; `clock` is how far its clock is off, `secrets` what its storage is sealed with. */
  replica(
    config: SigningKeysConfig | SigningKeys = {},
    { clock = 0, secrets = ["a secret of at least 32 bytes, of course"] as readonly string[] } = {},
  ): PublishingSigner {
    const sealed: SigningKeyRecords = new Collection<unknown>({
      storage: this.storage,
      prefix: "signing-key",
      ring: new KeyRing(secrets.map((secret) => Buffer.from(secret))),
    });
    const counted = async (verb: "get" | "claim" | "replace") => {
      this.calls++;
      await this.before(verb);
    };
    const signing = config instanceof SigningKeys ? config : new SigningKeys(config);
    return signing.signer({
      records: {
        get: async (id) => {
          await counted("get");
          const entry = await sealed.get(id);
          await this.afterGet();
          return entry;
        },
        claim: async (id, value, ttl) => {
          await counted("claim");
          return sealed.claim(id, value, ttl);
        },
        replace: async (id, entry, value, ttl) => {
          await counted("replace");
          return sealed.replace(id, entry, value, ttl);
        },
      },
      runtime: { now: () => this.now + clock },
      tokenTtl: TOKEN_TTL,
      observe: (happening) => this.happenings.push(happening),
    });
  }

  told<T extends SigningHappening["type"]>(type: T): Extract<SigningHappening, { type: T }>[] {
    return this.happenings.filter((one): one is Extract<SigningHappening, { type: T }> => one.type === type);
  }

  /** Claims as the core issues them. */
  claims(): Record<string, unknown> {
    return {
      iss: "https://mcp.example.com",
      aud: "https://mcp.example.com/mcp",
      sub: "alice",
      iat: this.now,
      exp: this.now + TOKEN_TTL,
    };
  }
}
