/** Pages of an identity provider's own: what accounts on this server show people, and what they are given to do it with. */
import type { ConnectedGrants } from "../domain/connected-grants.ts";
import type { Engine } from "../domain/engine.ts";
import type { Observe } from "../domain/events.ts";
import type { Identity, IdentityProvider, LinkedIdentity } from "../domain/identity-provider.ts";
import { type OfferedProvider, subjectAt } from "../domain/identity-providers.ts";
import { selectIdentity } from "../domain/scope-policy.ts";
import { ConfigurationError, OAuthProxyError } from "../protocol/errors.ts";
import { readCookies } from "../transport/cookies.ts";
import type { Reply } from "../transport/reply.ts";
import { type PageEndpoint, type PageSettings, Trace } from "./endpoint.ts";
import { providerTargets } from "./form-targets.ts";
import { refuseOtherSites } from "./same-site.ts";
import { redirectUpstream } from "./upstream-redirect.ts";

/** A visit to one of the pages. */
export interface PageRequest {
  readonly request: Request;
  /** What events call the page. */
  readonly endpoint: string;
  /** Where the connection came from, as the adapter knows it. */
  readonly clientAddress: string | undefined;
  /** What an error page would show, and events are found by. */
  readonly traceId: string;
}

/** Answers a visit. What it throws becomes an error page, and an event. */
export type OwnPageHandler = (visit: PageRequest) => Promise<Reply>;

/** One page. */
export interface OwnPage {
  /** Below {@link Home.path}: `/sign-in`. */
  readonly path: string;
  readonly GET?: OwnPageHandler | undefined;
  readonly POST?: OwnPageHandler | undefined;
}

/** All of them. */
export interface OwnPages {
  readonly pages: readonly OwnPage[];
  /** Answers the browser that comes back from {@link Home.beginLink}. */
  linked(visit: PageRequest, link: string, provider: ProviderName, outcome: Identity | OAuthProxyError): Promise<Reply>;
}

/** A provider, as people know it. */
export interface ProviderName {
  readonly id: string;
  readonly name: string;
}

/** An identity provider that has pages. */
export interface HasPages {
  /** Called once, when the server is constructed. */
  open(home: Home): OwnPages;
}

/** What pages are given to work with. */
export interface Home extends Pick<PageSettings, "serverName" | "scopeDescriptions" | "origin" | "secure"> {
  /** What their paths begin with, on this host. */
  readonly path: string;
  /** The whole of it. */
  readonly url: string;
  /** The other providers of this server. */
  readonly others: readonly ProviderName[];
  /** Where a form may end up that leads to one of those, as sources for `form-action`. */
  readonly otherTargets: readonly string[];
  /** Who is connected. */
  readonly grants: Pick<ConnectedGrants, "list" | "end" | "endAll">;
  readonly observe: Observe;
  /** @throws {OAuthProxyError} `consent_forged` for a form of another site */
  refuseOtherSites(request: Request): void;
  /** Whether the sign-in of this `state` was begun in this browser, and approved where anybody had to. */
  isBegunHere(request: Request, state: string): boolean;
  /**
   * Ends what was connected by an identity of another provider while it was nobody's account. It would go on under a name of its own, whatever becomes of the account. Where the
   * storage can't list, it does go on, and the operator is told.
   */
  disconnect(identity: LinkedIdentity): Promise<void>;
  /** Sends the browser to another provider, to show that an identity there is theirs. @throws {OAuthProxyError} `malformed_parameters` where there is no such provider */
  beginLink(visit: PageRequest, providerId: string | undefined, link: string): Promise<Reply>;
}

/** Whether an identity provider has pages. */
export function hasPages(identityProvider: IdentityProvider): identityProvider is IdentityProvider & HasPages {
  return "open" in identityProvider && typeof identityProvider.open === "function";
}

/** What the pages of one provider are given. */
export function homeOf(
  provider: OfferedProvider,
  engine: Engine,
  pages: PageSettings,
  place: Pick<Home, "path" | "url">,
): Home {
  const others = engine.identityProviders.all.filter((each) => each !== provider);
  const { serverName, scopeDescriptions, origin, secure } = pages;
  return {
    serverName,
    scopeDescriptions,
    origin,
    secure,
    ...place,
    others: others.map(({ id, name }) => ({ id, name })),
    otherTargets: providerTargets(others, secure),
    grants: engine.connectedGrants,
    observe: engine.observe,
    refuseOtherSites: (request) => refuseOtherSites(request, origin),
    isBegunHere: (request, state) => engine.browserBinding.provesApproval(readCookies(request), state),
    disconnect: (identity) => disconnect(identity, others, engine),
    beginLink: async ({ request, traceId }, providerId, link) => {
      const other = others.find(({ id }) => id === providerId);
      if (other === undefined) throw new OAuthProxyError("malformed_parameters");
      // Who the person is there, and nothing else that this server may ask of the provider.
      const scope = selectIdentity(other);
      const begun = await engine.transactions.beginLink({ link, scope, traceId });
      return redirectUpstream(begun, other, 303, request, {
        engine,
        pages,
        trace: new Trace(traceId),
        clientAddress: undefined,
      });
    },
  };
}

async function disconnect(
  { provider, subject }: LinkedIdentity,
  others: readonly OfferedProvider[],
  { connectedGrants, observe }: Engine,
): Promise<void> {
  const other = others.find(({ id }) => id === provider);
  if (other === undefined) return;
  try {
    await connectedGrants.endAll({ subject: subjectAt(other, subject) });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const message = "tokenStorage has no list: what was connected by an identity before it was linked goes on.";
    observe({ type: "warning", message });
  }
}

/** An endpoint that answers with a page. */
export function ownPage(endpoint: string, handler: OwnPageHandler): PageEndpoint {
  return (request, { clientAddress, trace }) => handler({ request, endpoint, clientAddress, traceId: trace.id });
}
