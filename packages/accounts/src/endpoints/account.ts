/** The page of a person's own account, and what can be done there. OWASP Session Management Cheat Sheet; NIST SP 800-63B §5.1. */
import {
  ConfigurationError,
  digest,
  OAuthProxyError,
  type OwnPage,
  type Parameters,
  type Reply,
} from "@sallyport/oauth-core/accounts";
import { AccountError } from "../account-error.ts";
import type { AccountParts } from "../account-parts.ts";
import type { Link } from "../links.ts";
import { accountPage } from "../pages/account.ts";
import type { ConnectedApplication } from "../pages/applications-section.ts";
import type { ProblemName } from "../pages/problem.ts";
import { slowedDownPage } from "../pages/slowed-down.ts";
import { problemOf } from "./problem-of.ts";
import { tellChanged } from "./reset-password.ts";
import { type Notice, type Present, Visit } from "./visit.ts";

/** The name of all its forms: they are on one page. */
export const ACCOUNT_FORM = "account";
/** Seconds after which a session is not enough to add a way in to the account: somebody may have found the browser open. */
const FRESH = 900;
/** Applications that are shown. */
const MOST_SHOWN = 100;

/** GET shows it; POST does one thing, and shows it again. */
export function accountEndpoint(parts: AccountParts): OwnPage {
  return {
    path: "/account",
    GET: async (visit) => {
      const here = new Visit(parts, visit);
      const present = await here.present();
      return present === undefined ? here.goTo(here.url("/sign-in")) : showAccount(here, present, {});
    },
    POST: async (visit) => {
      const here = new Visit(parts, visit);
      const present = await here.present();
      // The session ended while the page was open. Nothing is done, and the person learns why.
      if (present === undefined) {
        parts.home.refuseOtherSites(visit.request);
        return here.goTo(here.url("/sign-in"));
      }
      const { form } = await here.form({ form: ACCOUNT_FORM, sessionId: present.session.id });
      if (form === undefined) return showAccount(here, present, { problem: "page_outdated" });
      const action = ACTIONS.get(form.get("action") ?? "");
      if (action === undefined) throw new OAuthProxyError("malformed_parameters");
      return action(here, present, form);
    },
  };
}

type Action = (here: Visit, present: Present, form: Parameters) => Promise<Reply>;

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ["change_name", changeName],
  ["change_password", changePassword],
  ["end_session", endSession],
  ["end_application", endApplication],
  ["sign_out_everywhere", signOutEverywhere],
  ["link", link],
  ["unlink", unlink],
]);

async function changeName(here: Visit, present: Present, form: Parameters): Promise<Reply> {
  const typedName = form.get("name") ?? "";
  try {
    await here.parts.directory.update(present.user.id, { name: typedName }, "person");
    return here.account("name_changed");
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    return showAccount(here, present, { problem: problemOf(error), typedName });
  }
}

/** The old password is asked for: an open browser must not be enough. OWASP ASVS 5.0 §6.2.3. */
async function changePassword(here: Visit, present: Present, form: Parameters): Promise<Reply> {
  const { directory, passwordSignIn, signingOut } = here.parts;
  const { user } = present;
  const { cookies, address, traceId } = here;
  const password = form.get("new_password");
  if (password !== form.get("repeat_password")) return showAccount(here, present, { problem: "passwords_differ" });
  const outcome = await passwordSignIn.confirm(user, { password: form.get("password"), cookies, address, traceId });
  if ("retryAfter" in outcome) return slowDown(here, outcome.retryAfter);
  if (outcome.user === undefined) return showAccount(here, present, { problem: "password_wrong" });
  try {
    const passwordHash = await directory.hashOf(password ?? "", user);
    const changed = await directory.storePassword(user.id, passwordHash, "person", (now) =>
      // Reset, disabled, or signed out everywhere meanwhile: then this browser has no say any more.
      now.epoch === user.epoch && !now.disabled ? now : undefined,
    );
    if (changed === undefined) return here.goTo(here.url("/sign-in"));
    await signingOut.clear(changed, "person");
    tellChanged(here, changed);
    const begun = await here.begin(changed, present.session.methods);
    return here.account("password_changed", begun.cookies);
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    return showAccount(here, present, { problem: problemOf(error) });
  }
}

async function endSession(here: Visit, { user }: Present, form: Parameters): Promise<Reply> {
  await here.parts.sessions.end(form.get("id") ?? "", user.id);
  return here.account("session_ended");
}

async function endApplication(here: Visit, { user }: Present, form: Parameters): Promise<Reply> {
  // The id comes from a form: only a grant of this person's is ended.
  await here.parts.home.grants.end(form.get("id") ?? "", { subject: user.id });
  return here.account("application_ended");
}

async function signOutEverywhere(here: Visit, { user }: Present): Promise<Reply> {
  const { sessions, signingOut, knownBrowsers } = here.parts;
  const changed = await signingOut.everywhere(user.id, "person");
  // Signed out like all others, but known: a stranger who guesses must not keep the person from signing in again here.
  const cookies = [await sessions.leave(here.cookies), knownBrowsers.remember(here.cookies, changed)];
  return here.goTo(here.url("/sign-in"), cookies);
}

async function link(here: Visit, { user, session }: Present, form: Parameters): Promise<Reply> {
  const { home, runtime } = here.parts;
  // A new way in stays when the password is changed: whoever finds a browser open must not be able to make one.
  if (runtime.now() - session.startedAt > FRESH) return here.goTo(here.url("/sign-in", { again: "1" }));
  return home.beginLink(here.visit, form.get("provider"), JSON.stringify({ userId: user.id, sessionId: session.id }));
}

async function unlink(here: Visit, { user }: Present, form: Parameters): Promise<Reply> {
  const { links, home } = here.parts;
  const all = await links.list(user.id);
  const one = all.find((each) => idOf(each) === form.get("id"));
  if (one === undefined) return here.account("unlinked");
  if (user.passwordHash === undefined && all.length === 1) return here.account("last_way_in");
  await links.unlink(user.id, one);
  home.observe({ type: "account.unlinked", subject: user.id, provider: one.provider }, here.traceId);
  return here.account("unlinked");
}

interface Shown {
  readonly problem?: ProblemName | undefined;
  readonly typedName?: string | undefined;
}

/** The page itself. */
export async function showAccount(
  here: Visit,
  { user, session }: Present,
  { problem, typedName }: Shown,
): Promise<Reply> {
  const { home, links, mailer, sessions } = here.parts;
  const [browsers, applications, linked] = await Promise.all([
    sessions.list(user),
    applicationsOf(here, user.id),
    links.list(user.id),
  ]);
  const { notice, cookies } = here.notice();
  const said = saidBy(notice);
  const nameOf = (id: string) => home.others.find((each) => each.id === id)?.name ?? id;
  return here.show(
    problem,
    { form: ACCOUNT_FORM, sessionId: session.id },
    (csrfToken) =>
      accountPage({
        serverName: home.serverName,
        action: here.url("/account"),
        csrfToken,
        name: user.name,
        username: user.username,
        email: user.email,
        hasPassword: user.passwordHash !== undefined,
        resetUrl: mailer.works ? here.url("/reset-password") : undefined,
        browsers: browsers?.map((each) => ({ ...each, userAgent: each.userAgent, isThis: each.id === session.id })),
        applications,
        linked: linked.map((each) => ({
          id: idOf(each),
          providerName: nameOf(each.provider),
          label: each.label,
          linkedAt: each.linkedAt,
        })),
        linkable: home.others.filter(({ id }) => !linked.some(({ provider }) => provider === id)),
        signOut: { action: here.url("/sign-out"), csrfToken },
        typedName,
        done: said.done,
        problem: problem ?? said.problem,
      }),
    { targets: home.otherTargets, cookies },
  );
}

/** What the page says of what was done just before, in one of its two voices. */
function saidBy(notice: Notice | undefined) {
  switch (notice) {
    case undefined:
      return { done: undefined, problem: undefined };
    case "link_failed":
    case "link_taken":
    case "too_many_links":
    case "last_way_in":
      return { done: undefined, problem: notice };
    default:
      return { done: notice, problem: undefined };
  }
}

/** `undefined` where the storage can't look for them. */
async function applicationsOf(here: Visit, subject: string): Promise<readonly ConnectedApplication[] | undefined> {
  const { grants, scopeDescriptions } = here.parts.home;
  const found: ConnectedApplication[] = [];
  let cursor: string | undefined;
  try {
    do {
      const page = await grants.list({ subject, cursor });
      for (const { id, clientId, clientName, scopes, createdAt } of page.grants) {
        const described = scopes.map((name) => ({
          name,
          description: Object.hasOwn(scopeDescriptions, name) ? scopeDescriptions[name] : undefined,
        }));
        found.push({ id, clientName: clientName ?? clientId, scopes: described, connectedAt: createdAt });
      }
      cursor = page.cursor;
    } while (cursor !== undefined && found.length < MOST_SHOWN);
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
  return found.sort((one, other) => other.connectedAt - one.connectedAt);
}

/** Names a link in a form. What the provider calls the person need not be there. */
function idOf({ provider, subject }: Pick<Link, "provider" | "subject">): string {
  return digest(`${provider}\0${subject}`);
}

function slowDown(here: Visit, retryAfter: number): Reply {
  const link = { href: here.url("/account"), label: "Back to your account" };
  return here.tell(
    429,
    slowedDownPage({ purpose: "sign_in", retryAfter, link }),
    [],
    [["retry-after", `${retryAfter}`]],
  );
}
