/** Signs our own tokens with an asymmetric key and recognises them again. RFC 7515 §5, RFC 8725 §3.1. */
import { type JwksDocument, OAuthProxyError, type PublishingSigner, type SignedToken } from "@sallyport/oauth-core";
import type { SigningKey } from "./signing-key.ts";
import { StoredKeysError } from "./stored-keys.ts";
import { readToken } from "./token-text.ts";

/** The keys to work with, wherever they come from. */
export interface KeySource {
  /** The key that signs, and all whose signatures are ours. */
  keys(): Promise<SigningKeySet>;
  /** The same, where they are there without looking anything up: the way of nearly every call. */
  readonly present: SigningKeySet | undefined;
  /** The same, looked up afresh if that was not done just now. */
  newerKeys(): Promise<SigningKeySet>;
}

/** The keys of one moment. */
export interface SigningKeySet {
  readonly signing: SigningKey;
  /** Those that are published: the next one is among them before it signs, the last one after. */
  readonly published: readonly SigningKey[];
}

/** The core's port for a signer, and the document that others verify by. */
export class AsymmetricSigner implements PublishingSigner {
  readonly #source: KeySource;
  readonly #headers = new Map<string, string>();

  constructor(source: KeySource) {
    this.#source = source;
  }

  async ready(): Promise<void> {
    await this.#keys();
  }

  /** A compact JWS over `claims` with this `typ`. */
  async sign(typ: string, claims: Readonly<Record<string, unknown>>): Promise<string> {
    const { signing } = await this.#keys();
    const input = `${this.#header(typ, signing)}.${base64url(JSON.stringify(claims))}`;
    return `${input}.${Buffer.from(signing.sign(Buffer.from(input))).toString("base64url")}`;
  }

  /** Takes a token apart whose signature is ours. @throws {OAuthProxyError} `token_malformed`, `token_signature` */
  async open(token: string): Promise<SignedToken> {
    const read = await readToken(token);
    if (read === undefined) throw new OAuthProxyError("token_malformed");
    const { alg, kid, crit, b64 } = read.header;
    // Every token of ours names its key.
    if (typeof kid !== "string" || crit !== undefined || b64 !== undefined)
      throw new OAuthProxyError("token_signature");
    const key = find(await this.#keys(), kid) ?? find(await this.#keys("newerKeys"), kid);
    const end = token.lastIndexOf(".");
    const signature = Buffer.from(token.slice(end + 1), "base64url");
    // RFC 8725 §3.1: the key says which algorithm it is for, and the token has no say.
    if (key === undefined || key.alg !== alg || !key.verify(Buffer.from(token.slice(0, end)), signature))
      throw new OAuthProxyError("token_signature");
    return read;
  }

  /** Without a promise nearly always: it is asked with every request. */
  recognises({ kid }: SignedToken["header"]): boolean | Promise<boolean> {
    const { present } = this.#source;
    if (present !== undefined) return find(present, kid) !== undefined;
    return this.#keys().then((keys) => find(keys, kid) !== undefined);
  }

  /** What `jwks_uri` answers: public halves only. */
  async jwks(): Promise<JwksDocument> {
    return { keys: (await this.#keys()).published.map(({ publicJwk }) => publicJwk) };
  }

  /** That the record can't be read is the operator's to mend: until then nothing is wrong with a token, and nobody is to throw one away. */
  async #keys(which: "keys" | "newerKeys" = "keys"): Promise<SigningKeySet> {
    try {
      return await this.#source[which]();
    } catch (cause) {
      throw cause instanceof StoredKeysError ? new OAuthProxyError("storage_unavailable", { cause }) : cause;
    }
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

function find({ published }: SigningKeySet, kid: unknown): SigningKey | undefined {
  return published.find((key) => key.kid === kid);
}

function base64url(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}
