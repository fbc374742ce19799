/** Slack: "Sign in with Slack", which is OpenID Connect in Slack's own envelope. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { type Claims, defineUpstream, OAuthProxyError, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { claimsIn, personByIdToken, refused, subjectIn } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { given } from "./vendor-address.ts";

/** The options of {@link slack}. Default scopes: `openid profile email`. Tokens expire, and can be refreshed, only where the app has token rotation. */
export interface SlackOptions extends VendorOptions {
  /** The only workspace whose people may sign in, by its id (`T…`). Default: any. */
  readonly team?: string | undefined;
}

const TEAM = "https://slack.com/team_id";
const USER = "https://slack.com/user_id";

/** Words by which Slack says that there is no such token any more. */
const OVER: readonly unknown[] = ["token_revoked", "token_expired", "invalid_auth", "account_inactive", "not_authed"];

/**
 * Signs people in with Slack.
 *
 * The subject is workspace and user, because a user's id is unique within a workspace only. `organizations` is the workspace's id.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://docs.slack.dev/authentication/sign-in-with-slack/ Slack: Sign in with Slack}
 * @see {@link https://docs.slack.dev/authentication/using-pkce Slack: PKCE turns an app into a public client}
 */
export function slack(options: SlackOptions): UpstreamProvider {
  const { team } = options;
  const params: Record<string, string> = team === undefined ? {} : { team: given("team", team) };
  return defineUpstream({
    ...vendor(options, {
      id: "slack",
      name: "Slack",
      scopes: ["openid", "profile", "email"],
      needs: ["openid"],
      params,
    }),
    discovery: { issuer: "https://slack.com" },
    authMethod: "client_secret_post",
    // An app takes PKCE only once it has become a public client, and that can't be undone. The nonce of the ID token binds the code to the sign-in instead.
    pkce: false,
    idTokenVerifier: verifySignature,
    // Errors come with 200 and `ok: false`, in UserInfo too, which then would name nobody.
    mapToken: (answer) => (answer.ok === false ? { ...answer, error: answer.error ?? "invalid_request" } : answer),
    userinfo: "never",
    identify: (sources) => {
      const { idToken } = sources;
      const workspace = subjectIn(idToken?.[TEAM]);
      // The parameter went through a browser, where anybody can take it out.
      if (team !== undefined && workspace !== team) throw refused("another workspace");
      const subject = `${workspace}.${subjectIn(idToken?.[USER])}`;
      return { ...personByIdToken(sources), subject, organizations: [workspace] };
    },
    // https://docs.slack.dev/reference/methods/auth.revoke: there is no RFC 7009 endpoint.
    revoke: async ({ accessToken }, http) => {
      const { status, body } = await http.send("https://slack.com/api/auth.revoke", {
        method: "POST",
        headers: { authorization: `Bearer ${accessToken}` },
      });
      if (status >= 500 || status === 429) throw new OAuthProxyError("upstream_unavailable");
      const answer = status === 200 ? jsonIn(body) : undefined;
      if (answer?.ok !== true && !OVER.includes(answer?.error)) throw new OAuthProxyError("upstream_refused");
    },
  });
}

/** The options of {@link SlackProvider}: every one of the server, and those of {@link slack}. */
export interface SlackProviderConfig extends PresetConfig, SlackOptions {}

/** A server whose people sign in with Slack. */
export class SlackProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: SlackProviderConfig) {
    super(withProvider(config, slack(config)));
  }
}

function jsonIn(text: string): Claims | undefined {
  try {
    return claimsIn(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
