/** The upstream of a torture: signs in whoever it is told to, and remembers every secret that it gave out. Runs on a free port of 127.0.0.1. */

import { startUpstream } from "../upstream/start-upstream.ts";

/** An upstream that stands in for a real one. */
export interface StandInUpstream {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly userinfoEndpoint: string;
  readonly revocationEndpoint: string;
  /** Every token and code that it has given out: none of them may be found at rest. */
  readonly secrets: ReadonlySet<string>;
  close(): Promise<void>;
}

/** How the upstream behaves. */
export interface StandInUpstreamOptions {
  /** Seconds that an access token lives. Default: 3600. */
  readonly accessTokenTtl?: number | undefined;
}

/**
 * Starts it. The authorization endpoint asks nobody anything: it signs in the user that its parameter `torture_user` names, and sends
 * the browser back at once. Codes work once; refresh tokens are rotated, and an old one is refused, as strict upstreams do it.
 */
export async function startStandInUpstream(options: StandInUpstreamOptions = {}): Promise<StandInUpstream> {
  const { endpoints, secrets, close } = await startUpstream({
    ...options,
    person: (authorization) => {
      const user = authorization.get("torture_user") ?? "nobody";
      return { sub: user, email: `${user}@example.com` };
    },
  });
  return {
    authorizationEndpoint: endpoints.authorization,
    tokenEndpoint: endpoints.token,
    userinfoEndpoint: endpoints.userinfo,
    revocationEndpoint: endpoints.revocation,
    secrets,
    close,
  };
}
