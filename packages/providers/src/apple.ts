/** Apple: OpenID Connect with a posted answer, and a client secret that is signed. */
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { ConfigurationError, defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { personByIdToken } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { given } from "./vendor-address.ts";

/** The options of {@link apple}. Default scopes: `openid name email`. The client id is that of the Services ID. */
export interface AppleOptions extends Omit<VendorOptions, "clientSecret"> {
  /** The developer team: ten characters. */
  readonly teamId: string;
  /** The id of `privateKey`: ten characters. */
  readonly keyId: string;
  /** The key for "Sign in with Apple", as its `.p8` file has it (PEM, P-256). Line breaks may be written as `\n`. */
  readonly privateKey: string;
}

const ISSUER = "https://appleid.apple.com";

/** Seconds. Apple takes up to six months; a secret that is made for one request needs minutes. */
const SECRET_TTL = 300;

/**
 * Signs people in with Apple.
 *
 * The subject is a name that Apple has for the person towards this one team. Their name comes once, in a form of its own with the very first sign-in, and is not carried.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret Apple: creating a client secret}
 * @see {@link https://developer.apple.com/documentation/signinwithapplerestapi/revoke-tokens Apple: revoke tokens}
 */
export function apple(options: AppleOptions): UpstreamProvider {
  return defineUpstream({
    ...vendor(
      { ...options, clientSecret: "" },
      { id: "apple", name: "Apple", scopes: ["openid", "name", "email"], needs: ["openid"] },
    ),
    clientSecret: secretMaker(options),
    authMethod: "client_secret_post",
    discovery: { issuer: ISSUER },
    endpoints: { revocation: `${ISSUER}/auth/revoke` },
    // Apple insists on it where name or address are asked for.
    responseMode: "form_post",
    // It has none; the nonce of the ID token binds the code to the sign-in instead.
    pkce: false,
    idTokenVerifier: verifySignature,
    identify: personByIdToken,
  });
}

/** The options of {@link AppleProvider}: every one of the server, and those of {@link apple}. */
export interface AppleProviderConfig extends PresetConfig, AppleOptions {
  /** Needed here: a client secret that is made anew for each request is none that keys could be derived from. */
  readonly secret: string | readonly string[];
}

/** A server whose people sign in with Apple. */
export class AppleProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: AppleProviderConfig) {
    const { privateKey, ...others } = config;
    super(withProvider({ ...others, clientSecret: "" }, apple(config)));
  }
}

function secretMaker({ clientId: sub, teamId, keyId, privateKey }: AppleOptions): (now: number) => string {
  const iss = given("teamId", teamId);
  const header = part({ alg: "ES256", kid: given("keyId", keyId) });
  const key = readKey(given("privateKey", privateKey));
  return (now) => {
    const input = `${header}.${part({ iss, iat: now, exp: now + SECRET_TTL, aud: ISSUER, sub })}`;
    // RFC 7518 §3.4: the two numbers one after the other, and not in DER.
    return `${input}.${sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  };
}

function readKey(pem: string): KeyObject {
  const key = parseKey(pem.replaceAll("\\n", "\n"));
  if (key?.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new ConfigurationError("privateKey", "must be a P-256 private key in PEM");
  return key;
}

/** Why it can't be read is not told: the reason may quote the key. */
function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function part(members: object): string {
  return Buffer.from(JSON.stringify(members)).toString("base64url");
}
