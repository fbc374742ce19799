/** GitHub: OAuth Apps and GitHub Apps, on github.com, GitHub Enterprise Cloud with data residency, and GitHub Enterprise Server. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import {
  type Claims,
  ConfigurationError,
  defineUpstream,
  type IdentifiedPerson,
  type IdentitySources,
  OAuthProxyError,
  type UpstreamDescriptor,
  type UpstreamHttp,
  type UpstreamProvider,
} from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { claimsIn, refused } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";

/** The options of {@link github}. */
export interface GitHubOptions extends VendorOptions {
  /**
   * Default: `read:user user:email`. With `read:org` the organisations of whoever signs in are known, for `allow`. A GitHub App has permissions instead and takes no
   * scopes: give it an empty list.
   */
  readonly scopes?: readonly string[] | undefined;
  /** Where people sign in: `https://github.example.com` for Enterprise Server, `https://octocorp.ghe.com` with data residency. Default: `https://github.com`. */
  readonly githubUrl?: string | undefined;
}

/**
 * Signs people in with GitHub, which is no OpenID Connect provider: who it is comes from `GET /user`, and the address from `/user/emails`.
 *
 * The subject is the numeric id; a login can be changed, and be taken by somebody else afterwards. That holds for `organizations` as well, which are logins.
 *
 * @see {@link https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps GitHub: authorizing OAuth apps}
 * @throws {ConfigurationError} naming the option that can't work
 */
export function github(options: GitHubOptions): UpstreamProvider {
  const { clientId, clientSecret, scopes = ["read:user", "user:email"] } = options;
  const { origin, api } = addressesOf(options.githubUrl ?? "https://github.com");
  return defineUpstream({
    ...vendor(options, { id: "github", name: "GitHub", scopes, needs: scopes.filter((word) => IDENTITY.has(word)) }),
    authMethod: "client_secret_post",
    endpoints: {
      authorization: `${origin}/login/oauth/authorize`,
      token: `${origin}/login/oauth/access_token`,
    },
    mapToken: (answer) => ({ ...answer, scope: grantedScope(answer.scope) }),
    readAccessToken: false,
    identify: (sources) => identify(api, sources),
    revoke: revocationAt(api, clientId, clientSecret),
  });
}

/** What says who somebody is, and to whom they belong. No client can leave it out. */
const IDENTITY: ReadonlySet<string> = new Set(["read:user", "user:email", "read:org"]);

/** The options of {@link GitHubProvider}: every one of the server, and those of {@link github}. */
export interface GitHubProviderConfig extends PresetConfig, GitHubOptions {}

/** A server whose people sign in with GitHub. */
export class GitHubProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: GitHubProviderConfig) {
    super(withProvider(config, github(config)));
  }
}

/** @see {@link https://docs.github.com/en/enterprise-server@latest/rest/using-the-rest-api/getting-started-with-the-rest-api GitHub: where the REST API is} */
function addressesOf(githubUrl: string): { readonly origin: string; readonly api: string } {
  const url = URL.canParse(githubUrl) ? new URL(githubUrl) : undefined;
  if (url === undefined || url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw new ConfigurationError("githubUrl", "must be an origin such as https://github.example.com");
  const { origin, host, protocol } = url;
  const hasApiHost = host === "github.com" || host.endsWith(".ghe.com");
  return { origin, api: hasApiHost ? `${protocol}//api.${host}` : `${origin}/api/v3` };
}

/** https://docs.github.com/en/rest/about-the-rest-api/api-versions: answers keep this shape. */
const HEADERS = { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" };

/** Entries of one page, and pages of one list; nobody is in more organisations than that. */
const PAGE = 100;
const MOST_PAGES = 10;

/** Of what `/user` says, what tells people apart; the rest are links and figures that no decision needs and no token has room for. */
const CARRIED = ["id", "node_id", "login", "name", "avatar_url", "html_url", "type"] as const;

async function identify(api: string, { tokens, http }: IdentitySources): Promise<IdentifiedPerson> {
  const user = objectOf(await http.getJson(`${api}/user`, HEADERS));
  const { id, login, name, avatar_url: picture } = user;
  // A number, and never the login, which somebody else may have tomorrow.
  if (!Number.isSafeInteger(id) || typeof login !== "string") throw refused("no numeric id");
  return {
    subject: String(id),
    ...(await addressOf(api, user, tokens.scope, http)),
    name: textOf(name) ?? login,
    picture: textOf(picture),
    organizations: tokens.scope.includes("read:org") ? await organizationsOf(api, http) : undefined,
    claims: Object.fromEntries(CARRIED.filter((each) => user[each] !== undefined).map((each) => [each, user[each]])),
  };
}

/**
 * The primary address, which is verified or says that it isn't. The `email` of `/user` is what the person shows to the world, and stands for nothing.
 *
 * @see {@link https://docs.github.com/en/rest/users/emails GitHub: list email addresses for the authenticated user}
 */
async function addressOf(
  api: string,
  user: Claims,
  scope: readonly string[],
  http: UpstreamHttp,
): Promise<Pick<IdentifiedPerson, "email" | "emailVerified">> {
  const shown = { email: textOf(user.email) };
  // A GitHub App has no scopes at all, and may have the permission.
  const isApp = scope.length === 0;
  if (!isApp && !scope.includes("user:email")) return shown;
  const listed = await http.getJson(`${api}/user/emails?per_page=${PAGE}`, HEADERS).catch((error: unknown) => {
    if (isApp && error instanceof OAuthProxyError && error.reason === "upstream_identity") return [];
    throw error;
  });
  const primary = (Array.isArray(listed) ? listed : []).map(objectOf).find((each) => each.primary === true);
  const email = textOf(primary?.email);
  return email === undefined ? shown : { email, emailVerified: primary?.verified === true };
}

/** @see {@link https://docs.github.com/en/rest/orgs/orgs#list-organizations-for-the-authenticated-user GitHub: list organizations} */
async function organizationsOf(api: string, http: UpstreamHttp): Promise<readonly string[]> {
  const logins: string[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const listed = await http.getJson(`${api}/user/orgs?per_page=${PAGE}&page=${page}`, HEADERS);
    if (!Array.isArray(listed)) throw refused("no list of organizations");
    logins.push(...listed.map((each) => textOf(objectOf(each).login)).filter((login) => login !== undefined));
    if (listed.length < PAGE) break;
  }
  return logins;
}

/**
 * Ends one token, and not the whole authorization of the application: that would sign out every other client of the same person.
 *
 * @see {@link https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-token GitHub: delete an app token}
 */
function revocationAt(api: string, clientId: string, clientSecret: string): UpstreamDescriptor["revoke"] {
  return async ({ accessToken }, http) => {
    const { status } = await http.send(`${api}/applications/${encodeURIComponent(clientId)}/token`, {
      method: "DELETE",
      headers: {
        ...HEADERS,
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`,
        "content-type": "application/json",
        "user-agent": "sallyport",
      },
      body: JSON.stringify({ access_token: accessToken }),
    });
    // 404 and 422: there is no such token, or no longer.
    if (![204, 404, 422].includes(status))
      throw new OAuthProxyError(status >= 500 || status === 429 ? "upstream_unavailable" : "upstream_refused");
  };
}

/**
 * What a scope contains: GitHub answers with the wider one alone, and whoever asked for both would seem to have lost the other.
 *
 * @see {@link https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps#normalized-scopes GitHub: normalized scopes}
 */
const CONTAINED: Readonly<Record<string, readonly string[]>> = {
  repo: ["repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"],
  "admin:repo_hook": ["write:repo_hook", "read:repo_hook"],
  "write:repo_hook": ["read:repo_hook"],
  "admin:org": ["write:org", "read:org", "manage_runners:org"],
  "write:org": ["read:org"],
  "admin:public_key": ["write:public_key", "read:public_key"],
  "write:public_key": ["read:public_key"],
  "admin:gpg_key": ["write:gpg_key", "read:gpg_key"],
  "write:gpg_key": ["read:gpg_key"],
  user: ["read:user", "user:email", "user:follow"],
  project: ["read:project"],
  "write:packages": ["read:packages"],
  "write:discussion": ["read:discussion"],
};

function grantedScope(scope: unknown): unknown {
  if (typeof scope !== "string") return scope;
  const words = scope.split(/[\s,]+/).filter((word) => word !== "");
  const contained = words.flatMap((word) => (Object.hasOwn(CONTAINED, word) ? (CONTAINED[word] ?? []) : []));
  return [...new Set([...words, ...contained])];
}

function objectOf(value: unknown): Claims {
  const object = claimsIn(value);
  if (object === undefined) throw refused("no object");
  return object;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
