/** The story: what the client does, one step after the other, and what has to hold. */
import { setTimeout } from "node:timers/promises";
import type { Narrator } from "@sallyport/example-demo/narrator";
import { toldOfWire } from "@sallyport/example-demo/telling";
import { AuthorizationResponseError, OperationProcessingError } from "oauth4webapi";
import type { CallbackListener } from "./callback-listener.ts";
import { type Begun, type DemoClient, refusalOf, type Tokens } from "./demo-client.ts";
import { NotSignedIn, type Person } from "./person.ts";

/** Who is in it. */
export interface Cast {
  readonly narrator: Narrator;
  readonly client: DemoClient;
  readonly person: Person;
  readonly listener: CallbackListener;
}

/** Nobody has given this server such a scope. */
const UNKNOWN_SCOPE = "launch:missiles";
/** Rounds of a second each, after which a refresh token should be refused that was used before the first. */
const LONGEST_GRACE = 300;
/** A person who went away comes back, or does not. */
const PATIENCE_MS = 600_000;

/** Tells all of it. @throws {DidNotHold} at the first thing that does not hold */
export async function tell(cast: Cast): Promise<void> {
  await discover(cast);
  const asked = await prepare(cast, `notes:read ${UNKNOWN_SCOPE}`);
  const callback = await authorize(cast, asked, "A person is asked, and signs in");
  const accepted = checkAnswer(cast, asked, callback);
  const tokens = await redeem(cast, asked, accepted);
  await call(cast, tokens);
  const next = await rotate(cast, tokens);
  await replay(cast, tokens, next);
  await revoke(cast, await signInAgain(cast));
}

async function discover(cast: Cast): Promise<void> {
  const narrator: Narrator = cast.narrator;
  const { client } = cast;
  narrator.step("The client knocks without a token, and is told where to go");
  const refusal = await client.knock();
  show(cast);
  narrator.check(refusal.status === 401, "it is refused: 401");
  const server = await client.discover();
  show(cast);
  narrator.check(server.code_challenge_methods_supported?.includes("S256") === true, "the server does PKCE with S256");
  narrator.check(server.scopes_supported?.includes(UNKNOWN_SCOPE) === false, `it knows no scope ${UNKNOWN_SCOPE}`);
}

async function prepare(cast: Cast, scope: string): Promise<Begun> {
  const narrator: Narrator = cast.narrator;
  const { client } = cast;
  narrator.step("It makes a verifier, a challenge and a state");
  const begun = await client.begin(scope);
  const { verifier, challenge, state } = begun;
  narrator.parameters(" ", { code_verifier: verifier, code_challenge: challenge, state, scope });
  narrator.check(challenge !== verifier, "the verifier stays here; its SHA-256, the challenge, goes with the person");
  return begun;
}

async function authorize(cast: Cast, { url, state }: Begun, title: string): Promise<URL> {
  const { narrator, person, listener } = cast;
  narrator.step(title);
  const waiting = new AbortController();
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const answer = listener.answerTo(state, AbortSignal.any([waiting.signal, patience]));
    const [callback] = await Promise.all([answer, person.visit(url)]);
    narrator.parameters("→", Object.fromEntries(callback.searchParams));
    return callback;
  } catch (error) {
    throw patience.aborted ? new NotSignedIn("Nobody came back within ten minutes.", { cause: error }) : error;
  } finally {
    waiting.abort();
  }
}

function checkAnswer(cast: Cast, { state }: Begun, callback: URL): URLSearchParams {
  const narrator: Narrator = cast.narrator;
  const { client } = cast;
  narrator.step("It checks that the answer is to its own question");
  const forged = new URL(callback);
  forged.searchParams.set("state", "the-state-of-somebody-else");
  narrator.check(
    !accepts(client, forged, state),
    "with another state it would be thrown away: no page can slip the client a code of its own choice",
  );
  narrator.check(callback.searchParams.get("state") === state, "the state is the one that was sent");
  const accepted = accept(narrator, client, callback, state);
  narrator.check(accepted.has("iss"), "the answer names its server, and it is the right one");
  return accepted;
}

async function redeem(cast: Cast, { verifier }: Begun, accepted: URLSearchParams): Promise<Tokens> {
  const narrator: Narrator = cast.narrator;
  const { client } = cast;
  narrator.step("It redeems the code; first as a thief would, who has the code and not the verifier");
  const other = await client.begin("notes:read");
  const stolen = await refusalOf(client.redeem(accepted, other.verifier));
  show(cast);
  narrator.check(stolen === "invalid_grant", "the thief gets nothing: invalid_grant");
  const tokens = await client.redeem(accepted, verifier);
  show(cast);
  narrator.check(tokens.refresh_token !== undefined, "the client gets an access token and a refresh token");
  narrator.check(tokens.scope === "notes:read", `for notes:read alone: ${UNKNOWN_SCOPE} was dropped`);
  return tokens;
}

async function call(cast: Cast, { access_token }: Tokens): Promise<void> {
  const narrator: Narrator = cast.narrator;
  const { client } = cast;
  narrator.step("It uses the tools");
  const whoami = await client.call("whoami", access_token);
  show(cast);
  narrator.check("answer" in whoami, "whoami answers");
  narrator.block(JSON.stringify(whoami.answer, null, 2));
  const added = await client.call("add_note", access_token);
  show(cast);
  narrator.check(
    "status" in added && added.status === 403 && added.error === "insufficient_scope",
    "add_note is refused: 403 insufficient_scope",
  );
  narrator.check(added.scope?.includes("notes:write") === true, "and the refusal names the scope that is missing");
}

async function rotate(cast: Cast, tokens: Tokens): Promise<Tokens> {
  const narrator: Narrator = cast.narrator;
  const { client } = cast;
  const before = refreshTokenOf(tokens);
  narrator.step("It refreshes");
  const next = await client.refresh(before);
  show(cast);
  narrator.check(refreshTokenOf(next) !== before, "there is a new refresh token in place of the old one");
  const answered = "answer" in (await client.call("whoami", next.access_token));
  show(cast);
  narrator.check(answered, "the new access token is accepted");

  narrator.step("It refreshes with the old token once more, as a client does that never got the answer");
  const again = await client.refresh(before);
  show(cast);
  narrator.check(
    refreshTokenOf(again) === refreshTokenOf(next),
    "it gets the same next refresh token: nothing is lost",
  );
  return again;
}

async function replay(cast: Cast, tokens: Tokens, next: Tokens): Promise<void> {
  const narrator: Narrator = cast.narrator;
  const { client } = cast;
  narrator.step("It keeps using the old token, until the grace period is over");
  narrator.say("After that, whoever uses it is not the client, or no longer the only one who has it.");
  let refusal: string | undefined;
  let isSame = true;
  for (let seconds = 0; refusal === undefined && seconds < LONGEST_GRACE; seconds++) {
    await setTimeout(1000);
    refusal = await refusalOf(
      client.refresh(refreshTokenOf(tokens)).then((again) => {
        isSame &&= refreshTokenOf(again) === refreshTokenOf(next);
      }),
    );
  }
  const exchanges = client.wire.take();
  if (exchanges.length > 1) narrator.say(`… ${exchanges.length - 1} times it was answered as before.`);
  show(cast, exchanges.slice(-1));
  narrator.check(isSame, "up to then the next refresh token is always the same");
  narrator.check(refusal === "invalid_grant", "then it is refused: invalid_grant");
  const latest = await refusalOf(client.refresh(refreshTokenOf(next)));
  const refused = await client.call("whoami", next.access_token);
  show(cast);
  narrator.check(latest === "invalid_grant", "and so is the newest one: a thief and the client can't be told apart");
  narrator.check("status" in refused && refused.status === 401, "the access token counts no more, either");
}

async function signInAgain(cast: Cast): Promise<Tokens> {
  const narrator: Narrator = cast.narrator;
  const { client } = cast;
  const asked = await prepare(cast, "notes:read notes:write");
  const callback = await authorize(cast, asked, "The person allows it again; their browser is still signed in");
  const tokens = await client.redeem(accept(narrator, client, callback, asked.state), asked.verifier);
  show(cast);
  narrator.check(tokens.scope === "notes:read notes:write", "this time for both scopes");
  const added = await client.call("add_note", tokens.access_token);
  show(cast);
  narrator.check("answer" in added, "and add_note answers");
  narrator.block(JSON.stringify(added.answer, null, 2));
  return tokens;
}

async function revoke(cast: Cast, tokens: Tokens): Promise<void> {
  const narrator: Narrator = cast.narrator;
  const { client } = cast;
  narrator.step("It gives its tokens back");
  await client.revoke(refreshTokenOf(tokens));
  const refused = await client.call("whoami", tokens.access_token);
  const refusal = await refusalOf(client.refresh(refreshTokenOf(tokens)));
  show(cast);
  narrator.check("status" in refused && refused.status === 401, "the access token counts no more");
  narrator.check(refusal === "invalid_grant", "nor does the refresh token");
}

/** Shows what went over the wire since the last time. */
function show({ narrator, client }: Cast, exchanges = client.wire.take()): void {
  for (const exchange of exchanges) narrator.exchange(toldOfWire(exchange));
}

function accepts(client: DemoClient, callback: URL, state: string): boolean {
  try {
    client.accept(callback, state);
    return true;
  } catch (error) {
    if (error instanceof OperationProcessingError) return false;
    throw error;
  }
}

/** The parameters of an answer that is ours. @throws {DidNotHold} where the person has refused */
function accept(narrator: Narrator, client: DemoClient, callback: URL, state: string): URLSearchParams {
  try {
    return client.accept(callback, state);
  } catch (error) {
    if (!(error instanceof AuthorizationResponseError)) throw error;
    narrator.check(false, "the person has allowed it");
  }
}

function refreshTokenOf({ refresh_token }: Tokens): string {
  if (refresh_token === undefined) throw new Error("There is no refresh token.");
  return refresh_token;
}
