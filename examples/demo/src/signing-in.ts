/** The first half of the story: from a refusal to a pair of tokens. */
import { UnauthorizedError } from "@modelcontextprotocol/client";
import type { Page } from "@sallyport/example-demo-idp/scripted-browser";
import type { Narrator } from "./narrator.ts";
import { rejection, type Stage } from "./stage.ts";

/** Tells how a client that knows nothing but a URL comes to its tokens. */
export async function tellSigningIn(stage: Stage): Promise<void> {
  await knock(stage);
  const consent = await askForConsent(stage);
  await killServer(stage);
  const page = await approve(stage, consent);
  const callback = await signIn(stage, page);
  await redeem(stage, callback);
}

async function knock(stage: Stage): Promise<void> {
  const narrator: Narrator = stage.narrator;
  narrator.step("The client knocks without a token");
  const refused = await rejection(stage.application.connect());
  const exchanges = stage.application.wire.take();
  const at = (path: string) => exchanges.filter(({ url }) => url.pathname.startsWith(path));
  const [first] = exchanges;
  stage.show(exchanges.slice(0, 1));
  narrator.check(first?.status === 401, "it is refused: 401");
  narrator.check(first.challenge?.includes("resource_metadata=") === true, "the refusal says where to learn more");

  narrator.step("It reads where it has to go");
  const documents = at("/.well-known/");
  stage.show(documents);
  const found = documents.length > 0 && documents.every(({ status }) => status === 200);
  narrator.check(found, "the resource and its authorization server describe themselves");

  narrator.step("It registers itself");
  const registrations = at("/oauth/register");
  stage.show(registrations);
  narrator.check(registrations[0]?.status === 201, "it has a client id now, which nobody had to hand out");
  narrator.check(refused instanceof UnauthorizedError, "and it asks for a person");
}

async function askForConsent(stage: Stage): Promise<Page> {
  const narrator: Narrator = stage.narrator;
  const { authorizationUrl, clientMetadata, redirectUrl } = stage.application.credentials;
  narrator.step("The client opens a browser, and a person is asked for consent");
  narrator.check(authorizationUrl !== undefined, "the client knows where to send the person");
  const page = await stage.browser.open(authorizationUrl);
  stage.showBrowsed();
  narrator.quote(page.text);
  narrator.check(page.status === 200 && page.form !== undefined, "there is a page, before anybody is sent anywhere");
  narrator.check(page.text.includes(clientMetadata.client_name ?? ""), "it names the client");
  narrator.check(page.text.includes(new URL(redirectUrl).host), "and where the person will be sent back to");
  return page;
}

async function killServer(stage: Stage): Promise<void> {
  const narrator: Narrator = stage.narrator;
  const { server, mcpUrl } = stage.setting;
  narrator.step("While the person reads, the server is killed with SIGKILL, and started again");
  await server.killAndStart();
  const { status } = await fetch(mcpUrl, { method: "POST" });
  narrator.check(status === 401, "another process answers at the same place");
  narrator.say("What was begun is on disk, and the page is still open. The next step is what it leads to.");
}

async function approve(stage: Stage, consent: Page): Promise<Page> {
  const narrator: Narrator = stage.narrator;
  narrator.step("The person allows it, and is sent to the identity provider");
  const page = await stage.browser.submit(consent, { action: "approve" });
  stage.showBrowsed();
  narrator.quote(page.text);
  narrator.check(page.url.origin === stage.setting.identityProvider.url, "the identity provider asks who it is");
  return page;
}

async function signIn(stage: Stage, page: Page): Promise<URL> {
  const narrator: Narrator = stage.narrator;
  narrator.step("The person signs in as alice, and is sent back to the client");
  const { url } = await stage.browser.submit(page, { username: "alice", action: "sign-in" });
  stage.showBrowsed();
  const { searchParams } = url;
  narrator.parameters("→", Object.fromEntries(searchParams));
  narrator.check(searchParams.has("code"), "the client has a code");
  narrator.check(searchParams.get("state") === stage.application.credentials.expectedState, "and its state, unchanged");
  narrator.check(searchParams.get("iss") === stage.setting.mcpUrl.origin, "and the name of who issued it");
  return url;
}

async function redeem(stage: Stage, callback: URL): Promise<void> {
  const narrator: Narrator = stage.narrator;
  narrator.step("The client redeems the code");
  await stage.application.finishSignIn(callback);
  stage.showWire();
  const tokens = stage.application.credentials.tokens();
  narrator.check(tokens?.refresh_token !== undefined, "it holds an access token and a refresh token");
  narrator.say("Both are Sallyport's own. Those of the identity provider stay with the server, sealed.");
}
