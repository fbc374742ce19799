/** Discord: OAuth 2.0, with Discord's own user object. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { defineUpstream, type IdentitySources, profileOf, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { claimsIn, subjectIn } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";

/** The options of {@link discord}. Default scopes: `identify email`; add `guilds` to learn of a person's servers. */
export interface DiscordOptions extends VendorOptions {}

const API = "https://discord.com/api";

/**
 * Signs people in with Discord.
 *
 * With the scope `guilds`, `organizations` are the ids of the servers that a person is on.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://discord.com/developers/docs/topics/oauth2 Discord: OAuth2}
 * @see {@link https://discord.com/developers/docs/resources/user#user-object Discord: the user object}
 */
export function discord(options: DiscordOptions): UpstreamProvider {
  const asksGuilds = options.scopes?.includes("guilds") === true;
  const needs = ["identify", ...(asksGuilds ? ["guilds"] : [])];
  return defineUpstream({
    ...vendor(options, { id: "discord", name: "Discord", scopes: ["identify", "email"], needs }),
    endpoints: {
      authorization: "https://discord.com/oauth2/authorize",
      token: `${API}/oauth2/token`,
      userinfo: `${API}/users/@me`,
      revocation: `${API}/oauth2/token/revoke`,
    },
    // One token takes the whole authorization with it.
    revokes: "one",
    identify: async ({ userinfo = {}, http }) => {
      const { id, global_name, username, avatar, verified } = userinfo;
      const subject = subjectIn(id);
      return {
        ...profileOf({
          ...userinfo,
          email_verified: verified,
          // Who has not chosen a display name has `null`.
          name: global_name ?? username,
          picture:
            typeof avatar === "string" ? `https://cdn.discordapp.com/avatars/${subject}/${avatar}.png` : undefined,
        }),
        subject,
        organizations: asksGuilds ? await guildsOf(http) : undefined,
      };
    },
  });
}

/** The options of {@link DiscordProvider}: every one of the server, and those of {@link discord}. */
export interface DiscordProviderConfig extends PresetConfig, DiscordOptions {}

/** A server whose people sign in with Discord. */
export class DiscordProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: DiscordProviderConfig) {
    super(withProvider(config, discord(config)));
  }
}

/** Their ids: a name is whatever its owner writes. */
async function guildsOf(http: IdentitySources["http"]): Promise<readonly string[]> {
  const guilds = await http.getJson(`${API}/users/@me/guilds`);
  return Array.isArray(guilds) ? guilds.map((guild: unknown) => subjectIn(claimsIn(guild)?.id)) : [];
}
