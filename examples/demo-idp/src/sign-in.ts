/** The sign-in itself: shows the page, reads the form, and sends the browser on. OpenID Connect Core §3.1.2.3. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { errors, type Interaction, type Provider } from "oidc-provider";
import { parseUserName } from "./accounts.ts";
import { errorPage, signInPage } from "./pages.ts";
import { sendPage } from "./send-page.ts";

/** The path below which every sign-in has a page of its own. */
export const SIGN_IN_PATH = "/sign-in";

async function showForm(
  provider: Provider,
  interaction: Interaction,
  res: ServerResponse,
  problem?: string,
): Promise<void> {
  const { uid, params, session } = interaction;
  const client = await provider.Client.find(String(params.client_id));
  const page = signInPage({
    action: `${SIGN_IN_PATH}/${uid}`,
    clientName: client?.clientName ?? String(params.client_id),
    scopes: String(params.scope ?? "")
      .split(" ")
      .filter((scope) => scope !== ""),
    userName: session?.accountId,
    problem,
  });
  sendPage(res, problem === undefined ? 200 : 400, page);
}

/** Signs the last person out where another one signs in, for the library would otherwise ask with a page that needs script. */
async function forgetOther(provider: Provider, interaction: Interaction, userName: string): Promise<void> {
  const { session } = interaction;
  if (session === undefined || session.accountId === userName) return;
  await (await provider.Session.findByUid(session.uid))?.destroy();
  delete interaction.session;
  await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
}

async function acceptForm(
  provider: Provider,
  interaction: Interaction,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const form = new URLSearchParams(await text(req));
  if (form.get("action") === "cancel") {
    const refusal = { error: "access_denied", error_description: "The person cancelled the sign-in." };
    return provider.interactionFinished(req, res, refusal);
  }

  const userName = parseUserName(form.get("username"));
  if (userName === undefined) {
    return showForm(
      provider,
      interaction,
      res,
      "A name begins with a letter or digit, and has up to 64 of them, with . _ @ + - and spaces between.",
    );
  }
  await forgetOther(provider, interaction, userName);
  // The empty consent answers `prompt=consent`, without which OpenID Connect Core §11 drops `offline_access`.
  await provider.interactionFinished(req, res, { login: { accountId: userName }, consent: {} });
}

/** Serves one sign-in: GET shows its page, POST takes the form. */
export async function signIn(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    const interaction = await provider.interactionDetails(req, res);
    if (req.method === "POST") await acceptForm(provider, interaction, req, res);
    else await showForm(provider, interaction, res);
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    sendPage(
      res,
      400,
      errorPage(
        "This sign-in has expired, or was begun in another browser. Go back to where you came from and begin again.",
      ),
    );
  }
}
