/** A server with users of its own inside the test, with the mails that it sends and its clock; and beside the users, if asked for, a real upstream. */
import { Accounts, type Mail, OAuthServer, type OAuthServerConfig } from "@sallyport/accounts";
import { defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import type { Upstream } from "./upstream.ts";
import { startWhoamiServer, type WhoamiServer } from "./whoami-server.ts";

export const PASSWORD = "correct horse battery staple";

/** A server that listens. */
export interface AccountsSite extends WhoamiServer<OAuthServer> {
  readonly accounts: Accounts;
  /** Its errors, as its operator sees them. */
  readonly errors: readonly unknown[];
  /** The address of one of its pages. */
  url(path: string): string;
  /** The link of the newest mail of this kind to this address. */
  mailed(kind: Mail["kind"], to: string): Promise<string>;
}

/** Starts one. With an upstream, people may sign in there as well, as "Demo". */
export async function startAccountsSite(
  config: Partial<OAuthServerConfig> = {},
  upstream?: Upstream,
): Promise<AccountsSite> {
  const mails: Mail[] = [];
  const errors: unknown[] = [];
  const accounts = new Accounts({ signUp: true, sendMail: (mail) => void mails.push(mail) });
  const server = await startWhoamiServer(async (baseUrl, now) => {
    await upstream?.admit(baseUrl, ["/oauth/callback/demo"]);
    return new OAuthServer({
      baseUrl,
      secret: "a secret of the end-to-end tests, long enough",
      accounts,
      ...(upstream === undefined ? {} : { providers: [demo(upstream)] }),
      scopes: ["notes:read"],
      scopeDescriptions: { "notes:read": "Read your notes" },
      serverName: "Notes server",
      onEvent: (event) => {
        if (event.type === "error") errors.push(event.cause);
      },
      ...config,
      runtime: { now },
    });
  });
  return {
    ...server,
    accounts,
    errors,
    url: (path) => `${server.auth.issuer}/oauth${path}`,
    mailed: async (kind, to) => {
      await accounts.settled();
      const mail = mails.findLast((each) => each.kind === kind && each.to === to);
      if (mail === undefined) throw new Error(`Nobody sent ${kind} to ${to}.`);
      return mail.url;
    },
  };
}

function demo({ clientId, clientSecret, provider }: Upstream): UpstreamProvider {
  return defineUpstream({
    id: "demo",
    name: "Demo",
    clientId,
    clientSecret,
    scopes: ["openid", "profile", "email"],
    discovery: { issuer: provider.issuer },
    userinfo: "always",
  });
}
