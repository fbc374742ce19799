/** A forgotten password: a link by mail, and a new one. OWASP Forgot Password Cheat Sheet; NIST SP 800-63B §4.2. */
import type { OwnPage, Reply } from "@sallyport/oauth-core/accounts";
import { AccountError } from "../account-error.ts";
import type { AccountParts } from "../account-parts.ts";
import { parseLogin } from "../login-name.ts";
import { isCurrent, type PasswordReset } from "../mail-tokens.ts";
import { forgottenPasswordPage } from "../pages/forgotten-password.ts";
import { mailSentPage } from "../pages/mail-sent.ts";
import { newPasswordPage } from "../pages/new-password.ts";
import type { ProblemName } from "../pages/problem.ts";
import type { Login, User } from "../user-store.ts";
import { limitMail, linkOver, linkTarget, requestToKeep, requestToResume } from "./mail-step.ts";
import { problemOf } from "./problem-of.ts";
import { Visit } from "./visit.ts";

const ASK = { form: "reset-password" } as const;
const FINISH = { form: "finish-reset" } as const;

/** Asks whose password was forgotten, and sends the link. */
export function resetPasswordEndpoint(parts: AccountParts): OwnPage {
  return {
    path: "/reset-password",
    GET: async (visit) => {
      const here = new Visit(parts, visit);
      return ask(here, here.query().get("request"), undefined);
    },
    POST: async (visit) => {
      const here = new Visit(parts, visit);
      const { form, request } = await here.form(ASK);
      if (form === undefined) return ask(here, request, "page_outdated");
      const typed = form.get("login");
      const backUrl = here.url("/reset-password", { request });
      if (typed === undefined) return ask(here, request, "login_missing");
      const login = parseLogin(typed);
      const limited = await limitMail(here, "reset_password", nameOf(login) ?? typed, backUrl);
      if (limited !== undefined && limited !== "silent") return limited;
      if (limited === undefined) await sendLink(here, login, requestToKeep(here, request));
      const { reset_password: linkTtl } = parts.mailTtl;
      // What was typed is shown, in whatever form; what it led to is not.
      return here.tell(200, mailSentPage({ purpose: "reset_password", login: typed, linkTtl, againUrl: backUrl }));
    },
  };
}

/** Sets the new password, once: where the link leads. */
export function finishResetEndpoint(parts: AccountParts): OwnPage {
  const path = "/reset-password/finish";
  return {
    path,
    GET: linkTarget(parts, "reset_password", path, async (here, order) => {
      const user = await parts.directory.store.find(order.userId);
      return isCurrent(order, user) ? askPassword(here, order, user, undefined) : linkOver(here, "reset_password");
    }),
    POST: async (visit) => {
      const here = new Visit(parts, visit);
      const { form } = await here.form(FINISH);
      const token = parts.mailTokens.carried(here.cookies, "reset_password");
      const order = token === undefined ? undefined : await parts.mailTokens.find(token, "reset_password");
      const user = order && (await parts.directory.store.find(order.userId));
      if (token === undefined || order === undefined || !isCurrent(order, user))
        return linkOver(here, "reset_password");
      if (form === undefined) return askPassword(here, order, user, "page_outdated");
      const password = form.get("new_password");
      if (password !== form.get("repeat_password")) return askPassword(here, order, user, "passwords_differ");
      try {
        return await change(here, token, order, user, password ?? "");
      } catch (error) {
        if (!(error instanceof AccountError)) throw error;
        return askPassword(here, order, user, problemOf(error));
      }
    },
  };
}

/** Whether or not there is an account, a token is kept, or the time would tell. Nobody hears of the one that is for nobody. */
async function sendLink(here: Visit, login: Login | undefined, request: string | undefined): Promise<void> {
  const { directory, mailTokens, mailer, mailTtl, runtime } = here.parts;
  const user = login === undefined ? undefined : await directory.store.findByLogin(login);
  const reachable = user !== undefined && !user.disabled && user.email !== undefined;
  const subject = reachable ? { ...user, email: user.email ?? "" } : { id: "-", epoch: 0, email: "" };
  const token = await mailTokens.issue({ purpose: "reset_password", user: subject, request });
  if (!reachable) return;
  const { id, email = "", name } = user;
  const url = here.url("/reset-password/finish", { token });
  const expiresAt = runtime.now() + mailTtl.reset_password;
  mailer.send({ kind: "reset_password", to: email, name, url, expiresAt, subject: id });
}

async function change(here: Visit, token: string, order: PasswordReset, user: User, password: string): Promise<Reply> {
  const { directory, mailTokens, signingOut } = here.parts;
  const passwordHash = await directory.hashOf(password, user);
  if ((await mailTokens.spend(token, "reset_password")) === undefined) return linkOver(here, "reset_password");
  // Whoever reads the mailbox has shown that the address is theirs. What has changed since the page was shown, wins.
  const changed = await directory.storePassword(user.id, passwordHash, "person", (now) =>
    isCurrent(order, now) ? { ...now, emailVerified: true } : undefined,
  );
  if (changed === undefined) return linkOver(here, "reset_password");
  await signingOut.clear(changed, "person");
  tellChanged(here, changed);
  const { present, cookies } = await here.begin(changed, ["pwd"]);
  return here.onwards(
    requestToResume(here, order.request),
    present,
    [...cookies, mailTokens.cookie(undefined, "reset_password")],
    "password_changed",
  );
}

/** Whoever did not do it themselves has to hear of it. */
export function tellChanged(here: Visit, { id: subject, email, name }: User): void {
  if (email === undefined) return;
  here.parts.mailer.send({ kind: "password_changed", to: email, name, url: here.url("/reset-password"), subject });
}

function nameOf(login: Login | undefined): string | undefined {
  return login === undefined ? undefined : "email" in login ? login.email : login.username;
}

function ask(here: Visit, request: string | undefined, problem: ProblemName | undefined): Reply {
  const { serverName } = here.parts.home;
  const action = here.url("/reset-password");
  const signInUrl = here.url("/sign-in", { request });
  return here.show(problem, ASK, (csrfToken) =>
    forgottenPasswordPage({ serverName, action, csrfToken, request, problem, signInUrl }),
  );
}

function askPassword(here: Visit, order: PasswordReset, user: User, problem: ProblemName | undefined): Reply {
  const { serverName } = here.parts.home;
  const resumed = requestToResume(here, order.request);
  const action = here.url("/reset-password/finish");
  const login = user.username ?? user.email ?? "";
  const request = resumed === undefined ? undefined : order.request;
  return here.show(
    problem,
    FINISH,
    (csrfToken) => newPasswordPage({ serverName, action, csrfToken, request, login, problem }),
    { targets: resumed === undefined ? [] : [resumed.formTarget] },
  );
}
