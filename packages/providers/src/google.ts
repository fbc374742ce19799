/** Google: accounts of people, and of Google Workspace organisations. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import {
  defineUpstream,
  type IdentifiedPerson,
  type IdentitySources,
  type UpstreamProvider,
} from "@sallyport/oauth-core/upstream";
import { including, withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { personByIdToken } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";

/** The options of {@link google}. */
export interface GoogleOptions extends VendorOptions {
  /**
   * Default: `openid profile email`. `openid` is always asked for. A bare name such as `gmail.readonly` stands for `https://www.googleapis.com/auth/gmail.readonly`, and it
   * is the long one that clients see.
   */
  readonly scopes?: readonly string[] | undefined;
  /**
   * Offers accounts of this Google Workspace domain only, or with `*` of any. It makes the choice easier and keeps nobody out: for that there is
   * `allow: { organizations: ["example.com"] }`.
   */
  readonly hostedDomain?: string | undefined;
}

const ISSUER = "https://accounts.google.com";

/** What Google knows by a name of its own; every other bare name is the end of a URL. */
const BARE: ReadonlySet<string> = new Set(["openid", "profile", "email"]);
const API = "https://www.googleapis.com/auth/";
/** The long names of `profile` and `email`. */
const USERINFO = `${API}userinfo.`;

/**
 * Signs people in with Google.
 *
 * `organizations` of whoever signs in is their Workspace domain. `emailVerified` is `true` only where Google is authoritative for the address: an account of one's own
 * can be made with an address of any domain, and goes on after the address has passed to somebody else.
 *
 * @see {@link https://developers.google.com/identity/openid-connect/openid-connect Google: OpenID Connect}
 * @throws {ConfigurationError} naming the option that can't work
 */
export function google(options: GoogleOptions): UpstreamProvider {
  const { hostedDomain } = options;
  const scopes = scopesOf(options.scopes ?? ["profile", "email"]);
  const needs = ["openid", ...scopes.filter((word) => word.startsWith(USERINFO))];
  const params = {
    ...(hostedDomain === undefined ? {} : { hd: hostedDomain }),
    // https://developers.google.com/identity/protocols/oauth2/web-server: a refresh token comes with `offline` only, and beyond the first sign-in only where the
    // person consents anew.
    access_type: "offline",
    prompt: "consent",
  };
  return defineUpstream({
    ...vendor({ ...options, scopes }, { id: "google", name: "Google", scopes, needs, params }),
    authMethod: "client_secret_post",
    discovery: { issuer: ISSUER },
    endpoints: {
      authorization: "https://accounts.google.com/o/oauth2/v2/auth",
      token: "https://oauth2.googleapis.com/token",
    },
    // https://developers.google.com/identity/openid-connect/reference: ID tokens of old have the issuer without its scheme.
    issuer: (issuer) => issuer === ISSUER || issuer === "accounts.google.com",
    scopeAliases: aliasesFor(scopes),
    // Everything that UserInfo says is in the ID token.
    userinfo: "never",
    identify,
    idTokenVerifier: verifySignature,
    // Either token ends both. https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke
    revokes: "one",
  });
}

/** The options of {@link GoogleProvider}: every one of the server, and those of {@link google}. */
export interface GoogleProviderConfig extends PresetConfig, GoogleOptions {}

/** A server whose people sign in with Google. */
export class GoogleProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: GoogleProviderConfig) {
    super(withProvider(config, google(config)));
  }
}

function scopesOf(words: readonly string[]): readonly string[] {
  const long = words
    // `access_type=offline` is what asks for a refresh token here; the word is refused with `invalid_scope`.
    .filter((word) => word !== "offline_access")
    .map((word) => (BARE.has(word) || word.includes(":") ? word : `${API}${word}`));
  return including(["openid"], long);
}

/**
 * Google grants `email` as `https://www.googleapis.com/auth/userinfo.email`: called by the name that it was asked for by, or the client would seem not to have it.
 *
 * @see {@link https://developers.google.com/identity/protocols/oauth2/scopes Google: OAuth 2.0 scopes}
 */
function aliasesFor(scopes: readonly string[]): Readonly<Record<string, string>> {
  const names = ["profile", "email"].map((word) => [`${USERINFO}${word}`, word] as const);
  return Object.fromEntries(names.filter(([long]) => !scopes.includes(long)));
}

function identify(sources: IdentitySources): IdentifiedPerson {
  const person = personByIdToken(sources);
  const { hd } = sources.idToken ?? {};
  const hostedDomain = typeof hd === "string" && hd !== "" ? hd : undefined;
  return {
    ...person,
    emailVerified: person.emailVerified && isAuthoritative(person.email, hostedDomain),
    organizations: hostedDomain === undefined ? undefined : [hostedDomain],
  };
}

/** @see {@link https://developers.google.com/identity/gsi/web/guides/verify-google-id-token Google: "Google is authoritative"} */
function isAuthoritative(email: string | undefined, hostedDomain: string | undefined): boolean {
  return hostedDomain !== undefined || /@(?:gmail|googlemail)\.com$/i.test(email ?? "");
}
