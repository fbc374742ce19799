/** Signing out of this browser. OWASP Session Management Cheat Sheet, "Session Expiration". */
import type { OwnPage } from "@sallyport/oauth-core/accounts";
import type { AccountParts } from "../account-parts.ts";
import { noticePage } from "../pages/notice.ts";
import { ACCOUNT_FORM, showAccount } from "./account.ts";
import { Visit } from "./visit.ts";

/** POST alone: a link on another site must sign nobody out. */
export function signOutEndpoint(parts: AccountParts): OwnPage {
  return {
    path: "/sign-out",
    POST: async (visit) => {
      const here = new Visit(parts, visit);
      parts.home.refuseOtherSites(visit.request);
      const present = await here.present();
      // A session that is over is signed out of already, and the token of its page proves nothing any more.
      if (present !== undefined) {
        const { form } = await here.form({ form: ACCOUNT_FORM, sessionId: present.session.id });
        if (form === undefined) return showAccount(here, present, { problem: "page_outdated" });
        parts.home.observe(
          { type: "account.signed_out", subject: present.user.id, by: "person", everywhere: false },
          here.traceId,
        );
      }
      const cookie = await parts.sessions.leave(here.cookies);
      const link = { href: here.url("/sign-in"), label: "Sign in again" };
      return here.tell(
        200,
        noticePage({
          title: "You are signed out",
          text: "In this browser nobody is signed in now. Applications that you have connected go on.",
          link,
        }),
        // RFC 6265bis, SameSite=Lax: a form of another site brings no cookies along, and the answer's would count all the same: nothing is taken from who brought nothing.
        here.cookies.has(cookie.name) ? [cookie] : [],
      );
    },
  };
}
