/** Signs our own tokens with an asymmetric key and recognises them again. RFC 7515 §5, RFC 8725 §3.1. */
import { OAuthProxyError } from "@sallyport/oauth-core";
import type { SigningKey } from "./signing-key.ts";
import { readToken } from "./token-text.ts";

/** The keys to work with, wherever they come from. */
export interface KeySource {
  /** The key that signs, and all whose signatures are ours. */
  keys(): Promise<SigningKeySet>;
  /** The same, looked up afresh if that was not done just now. */
  newerKeys(): Promise<SigningKeySet>;
}

/** The keys of one moment. */
export interface SigningKeySet {
  readonly signing: SigningKey;
  /** Those that are published: the next one is among them before it signs, the last one after. */
  readonly published: readonly SigningKey[];
}

/** A key set as it is served. RFC 7517 §5. */
export interface JwksDocument {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** The core's port for a signer, and the document that others verify by. */
export class AsymmetricSigner {
  readonly #source: KeySource;
  readonly #headers = new Map<string, string>();

  constructor(source: KeySource) {
    this.#source = source;
  }

  /** A compact JWS over `claims` with this `typ`. */
  async sign(typ: string, claims: Readonly<Record<string, unknown>>): Promise<string> {
    const { signing } = await this.#source.keys();
    const input = `${this.#header(typ, signing)}.${base64url(JSON.stringify(claims))}`;
    return `${input}.${Buffer.from(signing.sign(Buffer.from(input))).toString("base64url")}`;
  }

  /** Takes a token apart whose signature is ours. @throws {OAuthProxyError} `token_malformed`, `token_signature` */
  async open(token: string): Promise<{
    readonly header: Readonly<Record<string, unknown>>;
    readonly claims: Readonly<Record<string, unknown>>;
  }> {
    const read = await readToken(token);
    if (read === undefined) throw new OAuthProxyError("token_malformed");
    const { alg, kid, crit, b64 } = read.header;
    // Every token of ours names its key.
    if (typeof kid !== "string" || crit !== undefined || b64 !== undefined)
      throw new OAuthProxyError("token_signature");
    const key = find(await this.#source.keys(), kid) ?? find(await this.#source.newerKeys(), kid);
    const end = token.lastIndexOf(".");
    const signature = Buffer.from(token.slice(end + 1), "base64url");
    // RFC 8725 §3.1: the key says which algorithm it is for, and the token has no say.
    if (key === undefined || key.alg !== alg || !key.verify(Buffer.from(token.slice(0, end)), signature))
      throw new OAuthProxyError("token_signature");
    return read;
  }

  /** What `jwks_uri` answers: public halves only. */
  async jwks(): Promise<JwksDocument> {
    return { keys: (await this.#source.keys()).published.map(({ publicJwk }) => publicJwk) };
  }

  #header(typ: string, { alg, kid }: SigningKey): string {
    const name = `${kid} ${typ}`;
    let header = this.#headers.get(name);
    if (header === undefined) {
      header = base64url(JSON.stringify({ alg, typ, kid }));
      this.#headers.set(name, header);
    }
    return header;
  }
}

function find({ published }: SigningKeySet, kid: string): SigningKey | undefined {
  return published.find((key) => key.kid === kid);
}

function base64url(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}
