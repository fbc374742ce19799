/** The way back from another provider: the identity there is linked with the account here. RFC 9700 §4.7; "account linking CSRF". */
import { OAuthProxyError, type OwnPages } from "@sallyport/oauth-core/accounts";
import type { AccountParts } from "../account-parts.ts";
import { Visit } from "./visit.ts";

/** What was kept of who set out. */
interface SetOut {
  readonly userId: string;
  readonly sessionId: string;
}

/** Answers with the page of the account, whatever came of it. */
export function linkedAnswer(parts: AccountParts): OwnPages["linked"] {
  return async (visit, link, provider, outcome) => {
    const here = new Visit(parts, visit);
    const { userId, sessionId } = JSON.parse(link) as SetOut;
    const present = await here.present();
    // The very session that set out: whoever signed in here meanwhile must not be given somebody else's way in, nor their own be given away.
    if (present === undefined || present.user.id !== userId || present.session.id !== sessionId)
      return here.goTo(here.url("/sign-in"));
    if (outcome instanceof OAuthProxyError || outcome.subject === undefined) return here.account("link_failed");
    const label = outcome.email ?? outcome.name ?? outcome.subject;
    const result = await parts.links.link(userId, { provider: provider.id, subject: outcome.subject, label });
    if (result === "taken") return here.account("link_taken");
    if (result === "full") return here.account("too_many_links");
    await parts.home.disconnect({ provider: provider.id, subject: outcome.subject });
    // A way in outlives the password: whoever did not make it has to hear of it.
    const { email, name } = present.user;
    const url = here.url("/account");
    if (email !== undefined) parts.mailer.send({ kind: "sign_in_linked", to: email, name, url, subject: userId });
    parts.home.observe({ type: "account.linked", subject: userId, provider: provider.id }, here.traceId);
    return here.account("linked");
  };
}
