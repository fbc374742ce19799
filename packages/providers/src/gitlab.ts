/** GitLab: gitlab.com or a server of one's own. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { personByIdToken } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { baseOf } from "./vendor-address.ts";

/** The options of {@link gitlab}. Default scopes: `openid profile email`; refresh tokens come without a scope of their own. */
export interface GitLabOptions extends VendorOptions {
  /** A GitLab of your own. Default: `https://gitlab.com`. */
  readonly gitlabUrl?: string | undefined;
}

/**
 * Signs people in with GitLab.
 *
 * Groups are the paths of all groups of a person, also those that come with a parent group; they are no roles, because on gitlab.com anybody can found one.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://docs.gitlab.com/integration/openid_connect_provider/ GitLab as OpenID Connect identity provider}
 */
export function gitlab(options: GitLabOptions): UpstreamProvider {
  const { gitlabUrl = "https://gitlab.com" } = options;
  return defineUpstream({
    ...vendor(options, { id: "gitlab", name: "GitLab", scopes: ["openid", "profile", "email"], needs: ["openid"] }),
    discovery: { issuer: baseOf("gitlabUrl", gitlabUrl) },
    idTokenVerifier: verifySignature,
    // Only UserInfo has `groups`; the ID token has `groups_direct`.
    userinfo: "always",
    identify: personByIdToken,
  });
}

/** The options of {@link GitLabProvider}: every one of the server, and those of {@link gitlab}. */
export interface GitLabProviderConfig extends PresetConfig, GitLabOptions {}

/** A server whose people sign in with GitLab. */
export class GitLabProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: GitLabProviderConfig) {
    super(withProvider(config, gitlab(config)));
  }
}
