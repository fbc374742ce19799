/** An issuer of tokens in one process: keys that come and go, an address that answers as it is told, and a clock. */
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from "jose";
import { JWKSVerifier, type JWKSVerifierConfig } from "../src/index.ts";

export const ISSUER = "https://id.example.com";
export const AUDIENCE = "https://mcp.example.com/mcp";
export const JWKS_URI = `${ISSUER}/keys`;

export interface IssuerKey {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function newKey(kid: string | undefined, alg = "ES256"): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), ...(kid === undefined ? {} : { kid }) } };
}

export class Issuer {
  /** Seconds since 1970. */
  now = 1_800_000_000;
  /** How often the keys were asked for. */
  requests = 0;
  /** What the address answers; replace it to break it. */
  answer: (init: RequestInit) => Response | Promise<Response> = () => Response.json({ keys: this.published });
  published: readonly JWK[];
  readonly #key: IssuerKey;

  constructor(key: IssuerKey) {
    this.#key = key;
    this.published = [key.jwk];
  }

  static async create(alg = "ES256"): Promise<Issuer> {
    return new Issuer(await newKey("one", alg));
  }

  verifier(config: Partial<JWKSVerifierConfig> = {}): JWKSVerifier {
    return new JWKSVerifier({
      jwksUri: JWKS_URI,
      issuer: ISSUER,
      audience: AUDIENCE,
      runtime: {
        now: () => this.now,
        fetch: async (input, init) => {
          this.requests++;
          if (input !== JWKS_URI) throw new Error("asked for something else");
          return this.answer(init);
        },
      },
      ...config,
    });
  }

  claims(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return { iss: ISSUER, aud: AUDIENCE, sub: "alice", iat: this.now, exp: this.now + 3600, ...more };
  }

  /** A signed token; a claim that is `undefined` is left out. */
  token(
    claims: Readonly<Record<string, unknown>> = {},
    header: Partial<JWTHeaderParameters> = {},
    key: IssuerKey = this.#key,
  ): Promise<string> {
    const { kid } = key.jwk;
    return new SignJWT(this.claims(claims))
      .setProtectedHeader({ alg: key.alg, typ: "JWT", ...(kid === undefined ? {} : { kid }), ...header })
      .sign(key.privateKey);
  }
}
