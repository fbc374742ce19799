/** What asking for a mail has in common, whatever it is for: how often, and that its link gets out of the address. OWASP Forgot Password Cheat Sheet. */
import type { OwnPageHandler, Reply } from "@sallyport/oauth-core/accounts";
import type { AccountParts } from "../account-parts.ts";
import { networkOf } from "../client-address.ts";
import type { MailOrder, MailPurpose } from "../mail-tokens.ts";
import { noticePage } from "../pages/notice.ts";
import { slowedDownPage } from "../pages/slowed-down.ts";
import { Visit } from "./visit.ts";

const HOUR = 3600;
/** Mails to one mailbox: nobody's is to be filled from here. */
const PER_LOGIN = { most: 3, per: HOUR };
/** Mails that one address asks for. */
const PER_ADDRESS = { most: 10, per: HOUR };

/**
 * Whether a mail may be sent: the answer to give instead where one address asks for too many, and `silent` where one mailbox has had enough. The latter is told to nobody: it
 * would say that the mailbox is somebody's, and let a stranger keep the person from hearing of it. Each purpose has its own count: whoever asks for accounts in
 * somebody's name must not keep them from a new password.
 */
export async function limitMail(
  here: Visit,
  purpose: MailPurpose,
  login: string,
  backUrl: string,
): Promise<Reply | "silent" | undefined> {
  const { attempts } = here.parts;
  // The address first: whoever has asked for too many must not use up somebody's own.
  const byAddress = await attempts.limit("mail-address", networkOf(here.address), PER_ADDRESS);
  if (!byAddress.admitted) {
    const { retryAfter } = byAddress;
    const link = { href: backUrl, label: "Back" };
    const text = slowedDownPage({ purpose: "mail", retryAfter, link });
    return here.tell(429, text, [], [["retry-after", `${retryAfter}`]]);
  }
  const byLogin = await attempts.limit(`mail-login ${purpose}`, login, PER_LOGIN);
  return byLogin.admitted ? undefined : "silent";
}

/** What a mail's link opens. GET only looks: programs that check links in mails follow them all. */
export function linkTarget<P extends MailPurpose>(
  parts: AccountParts,
  purpose: P,
  path: string,
  show: (here: Visit, order: MailOrder & { purpose: P }) => Promise<Reply> | Reply,
): OwnPageHandler {
  return async (visit) => {
    const here = new Visit(parts, visit);
    const token = here.query().get("token");
    // Out of the address, before a page could pass it on: history, referrers, a glance at the screen.
    if (token !== undefined) return here.goTo(here.url(path), [parts.mailTokens.cookie(token, purpose)]);
    const carried = parts.mailTokens.carried(here.cookies, purpose);
    const order = carried === undefined ? undefined : await parts.mailTokens.find(carried, purpose);
    return order === undefined ? linkOver(here, purpose) : show(here, order);
  };
}

/** The link is unknown, used, or too old: which of these, only whoever has the mail could know. */
export function linkOver(here: Visit, purpose: MailPurpose): Reply {
  const link =
    purpose === "sign_up"
      ? { href: here.url("/sign-up"), label: "Ask for a new link" }
      : { href: here.url("/reset-password"), label: "Ask for a new link" };
  const text = noticePage({
    title: "This link does not work any more",
    text: "It was used already, or it is too old. Each link works once, and for a short time.",
    link,
  });
  return here.tell(400, text, [here.parts.mailTokens.cookie(undefined, purpose)]);
}

/** The sign-in to go on with after a mail, where it still can be gone on with in this browser. Whoever reads the mail elsewhere goes to their account. */
export function requestToResume(here: Visit, sealed: string | undefined) {
  const request = sealed === undefined ? undefined : here.parts.tickets.openRequest(sealed);
  return request !== undefined && here.parts.home.isBegunHere(here.request, request.state) ? request : undefined;
}

/** What goes into a mail's token of what a form brought along: a sign-in of this browser, and never whatever somebody wants to have kept here. */
export function requestToKeep(here: Visit, sealed: string | undefined): string | undefined {
  return requestToResume(here, sealed) === undefined ? undefined : sealed;
}
