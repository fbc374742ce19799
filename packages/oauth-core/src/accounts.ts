/** What accounts of our own need of the core: sealed records, keys, pages and forms, and the ports behind which the engine knows them. */

export type { ConnectedGrant } from "./domain/connected-grants.ts";
export type { AccountActor, Happening, Observe } from "./domain/events.ts";
export { beginningsOf } from "./domain/grant-id.ts";
export { type Keys, mac, sign, verify } from "./domain/keys.ts";
export type {
  HasPages,
  Home,
  OwnPage,
  OwnPageHandler,
  OwnPages,
  PageRequest,
  ProviderName,
} from "./endpoints/own-pages.ts";
export { saysSameOrigin } from "./endpoints/same-site.ts";
export { type Html, html, type Piece } from "./pages/html.ts";
export { layout, STYLE_HASH } from "./pages/layout.ts";
export { ConfigurationError, OAuthProxyError } from "./protocol/errors.ts";
export { type Parameters, parseParameters } from "./protocol/parameters.ts";
export { verifyCodeVerifier } from "./protocol/pkce.ts";
export type { Runtime } from "./runtime.ts";
export { Collection, type CollectionOptions, type Entry, type UnreadableRecord } from "./state/collection.ts";
export { digest } from "./state/digest.ts";
export { KeyRing, open, seal } from "./state/sealing.ts";
export { readForm } from "./transport/body.ts";
export { readCookies, setCookie } from "./transport/cookies.ts";
export { page, type Reply, redirect, withHeaders } from "./transport/reply.ts";
