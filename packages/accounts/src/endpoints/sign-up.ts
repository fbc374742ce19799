/** Accounts that people make of their own: an address, then a link that a mail brings, then a name and a password. OWASP Authentication Cheat Sheet, "Account Creation". */
import type { OwnPage, Reply } from "@sallyport/oauth-core/accounts";
import { AccountError } from "../account-error.ts";
import type { AccountParts } from "../account-parts.ts";
import { normalizeEmail } from "../login-name.ts";
import type { SignUp } from "../mail-tokens.ts";
import { finishSignUpPage } from "../pages/finish-sign-up.ts";
import { mailSentPage } from "../pages/mail-sent.ts";
import { noticePage } from "../pages/notice.ts";
import type { ProblemName } from "../pages/problem.ts";
import { signUpPage } from "../pages/sign-up.ts";
import { limitMail, linkOver, linkTarget, requestToKeep, requestToResume } from "./mail-step.ts";
import { problemOf } from "./problem-of.ts";
import { Visit } from "./visit.ts";

const ASK = { form: "sign-up" } as const;
const FINISH = { form: "finish-sign-up" } as const;

/** Asks for the address, and sends the link. */
export function signUpEndpoint(parts: AccountParts): OwnPage {
  return {
    path: "/sign-up",
    GET: async (visit) => {
      const here = new Visit(parts, visit);
      return ask(here, here.query().get("request"), {});
    },
    POST: async (visit) => {
      const here = new Visit(parts, visit);
      const { form, request } = await here.form(ASK);
      if (form === undefined) return ask(here, request, { problem: "page_outdated" });
      const typed = form.get("email");
      const email = typed === undefined ? undefined : normalizeEmail(typed.trim());
      if (email === undefined) return ask(here, request, { email: typed, problem: "email_malformed" });
      const limited = await limitMail(here, "sign_up", email, here.url("/sign-up", { request }));
      if (limited !== undefined && limited !== "silent") return limited;
      if (limited === undefined) await sendLink(here, email, requestToKeep(here, request));
      const { sign_up: linkTtl } = parts.mailTtl;
      const againUrl = here.url("/sign-up", { request });
      return here.tell(200, mailSentPage({ purpose: "sign_up", login: email, linkTtl, againUrl }));
    },
  };
}

/** Makes the account, once: where the link leads. */
export function finishSignUpEndpoint(parts: AccountParts): OwnPage {
  const path = "/sign-up/finish";
  return {
    path,
    GET: linkTarget(parts, "sign_up", path, (here, order) => askRest(here, order, {})),
    POST: async (visit) => {
      const here = new Visit(parts, visit);
      const { form } = await here.form(FINISH);
      const token = parts.mailTokens.carried(here.cookies, "sign_up");
      const order = token === undefined ? undefined : await parts.mailTokens.find(token, "sign_up");
      if (token === undefined || order === undefined) return linkOver(here, "sign_up");
      if (form === undefined) return askRest(here, order, { problem: "page_outdated" });
      const typed = { name: form.get("name"), password: form.get("new_password") };
      try {
        const differ = typed.password !== form.get("repeat_password");
        if (differ) return askRest(here, order, { name: typed.name, problem: "passwords_differ" });
        return await create(here, token, order, { name: typed.name ?? "", password: typed.password ?? "" });
      } catch (error) {
        if (!(error instanceof AccountError)) throw error;
        if (error.reason === "login_taken") return taken(here);
        return askRest(here, order, { name: typed.name, problem: problemOf(error) });
      }
    },
  };
}

/** Whether or not there is an account, a token is kept and a mail is sent, or the time would tell. */
async function sendLink(here: Visit, email: string, request: string | undefined): Promise<void> {
  const { directory, mailTokens, mailer, mailTtl, runtime } = here.parts;
  const [user, token] = await Promise.all([
    directory.store.findByLogin({ email }),
    mailTokens.issue({ purpose: "sign_up", email, request }),
  ]);
  const { id: subject, name } = user ?? {};
  if (user === undefined) {
    const expiresAt = runtime.now() + mailTtl.sign_up;
    mailer.send({ kind: "sign_up", to: email, url: here.url("/sign-up/finish", { token }), expiresAt, subject });
  } else mailer.send({ kind: "already_registered", to: email, name, url: here.url("/sign-in"), subject });
}

async function create(
  here: Visit,
  token: string,
  { email, request }: SignUp,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<Reply> {
  const { directory, mailTokens } = here.parts;
  const prepared = await directory.prepare({ email, emailVerified: true, name, password });
  // Last of all that can go wrong with what was typed: a link that is spent is no use to somebody who has to choose another password.
  if ((await mailTokens.spend(token, "sign_up")) === undefined) return linkOver(here, "sign_up");
  const user = await directory.add(prepared, "person");
  const { present, cookies } = await here.begin(user, ["pwd"]);
  return here.onwards(requestToResume(here, request), present, [...cookies, mailTokens.cookie(undefined, "sign_up")]);
}

/** Somebody made an account with the address since the mail. Whoever reads this has read the mail, and may know. */
function taken(here: Visit): Reply {
  const link = { href: here.url("/sign-in"), label: "Sign in" };
  const text = noticePage({
    title: "You have an account already",
    text: "An account has been made with this address since the mail was sent. Sign in there.",
    link,
  });
  return here.tell(409, text, [here.parts.mailTokens.cookie(undefined, "sign_up")]);
}

function ask(
  here: Visit,
  request: string | undefined,
  { email, problem }: { readonly email?: string | undefined; readonly problem?: ProblemName },
): Reply {
  const { serverName } = here.parts.home;
  const action = here.url("/sign-up");
  const signInUrl = here.url("/sign-in", { request });
  return here.show(problem, ASK, (csrfToken) =>
    signUpPage({ serverName, action, csrfToken, request, email, problem, signInUrl }),
  );
}

function askRest(
  here: Visit,
  { email, request }: SignUp,
  { name, problem }: { readonly name?: string | undefined; readonly problem?: ProblemName },
): Reply {
  const { serverName } = here.parts.home;
  const resumed = requestToResume(here, request);
  const action = here.url("/sign-up/finish");
  const shown = resumed === undefined ? undefined : request;
  return here.show(
    problem,
    FINISH,
    (csrfToken) => finishSignUpPage({ serverName, action, csrfToken, request: shown, email, name, problem }),
    { targets: resumed === undefined ? [] : [resumed.formTarget] },
  );
}
