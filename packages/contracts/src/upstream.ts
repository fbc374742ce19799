/** An upstream identity provider for tests: as strict as a good one, and as odd as it is told to be. RFC 6749, OpenID Connect Core, RFC 7009. */
export type {
  IdTokenParts,
  Members,
  Upstream,
  UpstreamBehaviour,
  UpstreamEndpointName,
  UpstreamOptions,
  UpstreamReply,
  UpstreamRequest,
  UpstreamSession,
} from "./upstream/behaviour.ts";
export { startUpstream } from "./upstream/start-upstream.ts";
