/** The sign-in page. OWASP Authentication Cheat Sheet; NIST SP 800-63B §3.2.2. */
import type { OwnPage } from "@sallyport/oauth-core/accounts";
import type { AccountParts } from "../account-parts.ts";
import type { ProblemName } from "../pages/problem.ts";
import { signInPage } from "../pages/sign-in.ts";
import { slowedDownPage } from "../pages/slowed-down.ts";
import { Visit } from "./visit.ts";

const FORM = { form: "sign-in" } as const;

/** GET shows it, or goes on at once where somebody is signed in; POST tries what was typed. */
export function signInEndpoint(parts: AccountParts): OwnPage {
  return {
    path: "/sign-in",
    GET: async (visit) => {
      const here = new Visit(parts, visit);
      const query = here.query();
      const sealed = query.get("request");
      const request = here.signInRequest(sealed);
      // "again": what somebody is about to do needs more than a session that was left open.
      const present = query.get("again") === undefined ? await here.present() : undefined;
      return present === undefined ? show(here, sealed, {}) : here.onwards(request, present);
    },
    POST: async (visit) => {
      const here = new Visit(parts, visit);
      const { form, request: sealed } = await here.form(FORM);
      if (form === undefined) return show(here, sealed, { problem: "page_outdated" });
      const request = here.signInRequest(sealed);
      const login = form.get("login");
      const outcome = await parts.passwordSignIn.attempt({
        login,
        password: form.get("password"),
        cookies: here.cookies,
        address: here.address,
        traceId: here.traceId,
      });
      if ("retryAfter" in outcome) return slowDown(here, sealed, outcome.retryAfter);
      if (outcome.user === undefined) return show(here, sealed, { login, problem: "credentials_wrong" });
      const { present, cookies } = await here.begin(outcome.user, ["pwd"]);
      return here.onwards(request, present, cookies);
    },
  };
}

interface Shown {
  readonly login?: string | undefined;
  readonly problem?: ProblemName | undefined;
}

function show(here: Visit, request: string | undefined, { login, problem }: Shown) {
  const { home, mailer, signUp, tickets } = here.parts;
  const targets = request === undefined ? [] : [tickets.openRequest(request)?.formTarget ?? "'self'"];
  return here.show(
    problem,
    FORM,
    (csrfToken) =>
      signInPage({
        serverName: home.serverName,
        action: here.url("/sign-in"),
        csrfToken,
        request,
        login,
        problem,
        resetUrl: mailer.works ? here.url("/reset-password", { request }) : undefined,
        signUpUrl: signUp ? here.url("/sign-up", { request }) : undefined,
      }),
    { targets },
  );
}

/** RFC 6585 §4. */
function slowDown(here: Visit, request: string | undefined, retryAfter: number) {
  const link = { href: here.url("/sign-in", { request }), label: "Try again" };
  return here.tell(
    429,
    slowedDownPage({ purpose: "sign_in", retryAfter, link }),
    [],
    [["retry-after", `${retryAfter}`]],
  );
}
