/** Replicas of one server: one storage, sealed as the core seals it, a clock each, and whatever they tell. */
import { MemoryTokenStorage } from "@sallyport/oauth-core";
import { Collection } from "../../oauth-core/src/state/collection.ts";
import { KeyRing } from "../../oauth-core/src/state/sealing.ts";
import {
  type AsymmetricSigner,
  type KeyHappening,
  type KeyRecords,
  SigningKeys,
  type SigningKeysConfig,
} from "../src/index.ts";

export const DAY = 86_400;
export const RECORD = "signing-key:current";
export const TOKEN_TTL = 3600;

export class Replicas {
  now = 1_800_000_000;
  readonly storage = new MemoryTokenStorage({ now: () => this.now });
  readonly happenings: KeyHappening[] = [];
  /** What is called before each call of the storage; may reject. */
  before: (verb: "get" | "claim" | "replace") => Promise<void> | void = () => undefined;
  calls = 0;

  /** One more replica; `clock` is how far its clock is off, `secret` what its storage is sealed with. */
  replica(
    config: SigningKeysConfig = {},
    { clock = 0, secret = "a secret of at least 32 bytes, of course" } = {},
  ): AsymmetricSigner {
    const sealed: KeyRecords = new Collection<unknown>({
      storage: this.storage,
      prefix: "signing-key",
      ring: new KeyRing([Buffer.from(secret)]),
    });
    const counted = async (verb: "get" | "claim" | "replace") => {
      this.calls++;
      await this.before(verb);
    };
    return new SigningKeys(config).signer({
      records: {
        get: async (id) => {
          await counted("get");
          return sealed.get(id);
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

  told<T extends KeyHappening["type"]>(type: T): Extract<KeyHappening, { type: T }>[] {
    return this.happenings.filter((one): one is Extract<KeyHappening, { type: T }> => one.type === type);
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
