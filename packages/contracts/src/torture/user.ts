/** One installation of a client, and the person in front of it: registers, signs in, refreshes in bursts, loses responses. */

import { createHash, randomBytes } from "node:crypto";
import type { Figures } from "./figures.ts";
import type { Random } from "./random.ts";
import { type Answered, PUT_OFF, type Replicas } from "./replicas.ts";

const REDIRECT_URI = "http://127.0.0.1:9/callback";
/** How often a person begins a sign-in that was cut off, and how often one that was put off. */
const MOST_BEGUN = 20;
const MOST_PUT_OFF = 400;

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** Everything that a user was given; none of it may be found at rest. */
export type Remember = (secret: string) => void;

export class User {
  readonly name: string;
  readonly #issuer: string;
  readonly #resource: string;
  readonly #replicas: Replicas;
  readonly #random: Random;
  readonly #figures: Figures;
  readonly #remember: Remember;
  #clientId = "";
  #tokens: Tokens | undefined;
  #spentCode: URLSearchParams | undefined;

  constructor(
    name: string,
    world: { issuer: string; replicas: Replicas; random: Random; figures: Figures; remember: Remember },
  ) {
    this.name = name;
    this.#issuer = world.issuer;
    this.#resource = `${world.issuer}/mcp`;
    this.#replicas = world.replicas;
    this.#random = world.random;
    this.#figures = world.figures;
    this.#remember = world.remember;
  }

  /** From registration to tokens; the code is redeemed by several at once, of whom one may win. */
  async signIn(racers: number): Promise<void> {
    this.#clientId = await this.#register();
    // A server that is killed in the middle of a sign-in may cost the sign-in; then a person starts again, as people do.
    for (let [begun, putOff] = [0, 0]; begun < MOST_BEGUN && putOff < MOST_PUT_OFF; ) {
      const code = await this.#authorize();
      if (code === "later") {
        this.#figures.add(PUT_OFF);
        putOff += 1;
        await this.#replicas.pause();
        continue;
      }
      if (code !== undefined && (await this.#redeem(code, racers))) return;
      this.#figures.add("sign-ins begun again");
      begun += 1;
    }
    throw new Error(`${this.name} could not sign in`);
  }

  /** Refreshes once or many times at once, as several windows and processes of one client do, with lost responses among them. */
  async refresh(burst: number): Promise<void> {
    if (this.#tokens === undefined) return;
    const form = this.#form({ grant_type: "refresh_token", refresh_token: this.#tokens.refresh_token });
    const answers = await Promise.all(
      Array.from({ length: burst }, async () => {
        if (this.#random.chance(0.1)) await this.#loseResponse(form);
        return this.#replicas.insist(`${this.#issuer}/oauth/token`, form);
      }),
    );
    this.#figures.add("refreshes", burst);
    const refused = answers.filter((answer) => answer.status !== 200);
    if (refused.length > 0) {
      this.#figures.fail("innocent refreshes refused", `${this.name}: ${refused[0]?.status} ${errorOf(refused[0])}`);
      this.#tokens = undefined;
      return;
    }
    const tokens = answers.map((answer) => this.#keep(answer));
    if (new Set(tokens.map((each) => each.refresh_token)).size > 1)
      this.#figures.add("bursts answered with more than one next token");
    this.#tokens = this.#random.one(tokens);
    for (const each of tokens.slice(0, 3)) await this.#expectUsable(each.access_token);
  }

  /** Somebody else presents what they should not have: another client, a forged token, an access token in the wrong place. Nothing may come of it. */
  async suffer(thief: User): Promise<void> {
    if (this.#tokens === undefined) return;
    const { refresh_token, access_token } = this.#tokens;
    const attempts = [
      thief.#form({ grant_type: "refresh_token", refresh_token }),
      this.#form({ grant_type: "refresh_token", refresh_token: forged(refresh_token) }),
      this.#form({ grant_type: "refresh_token", refresh_token: access_token }),
    ];
    for (const attempt of attempts) {
      const { status } = await this.#replicas.insist(`${this.#issuer}/oauth/token`, attempt);
      this.#figures.add("thefts tried");
      if (status !== 400 && status !== 401) this.#figures.fail("thefts paid", `${this.name}: ${status}`);
    }
  }

  /** Redeems its own code again, long after: the grant has to end, and only this one. */
  async replay(): Promise<void> {
    if (this.#spentCode === undefined || this.#tokens === undefined) return;
    const { status } = await this.#replicas.insist(`${this.#issuer}/oauth/token`, formOf(this.#spentCode));
    this.#figures.add("codes replayed");
    if (status === 200) this.#figures.fail("codes that paid twice", this.name);
    const after = await this.#replicas.insist(
      `${this.#issuer}/oauth/token`,
      this.#form({ grant_type: "refresh_token", refresh_token: this.#tokens.refresh_token }),
    );
    if (after.status !== 400) this.#figures.fail("grants that outlived a replay", `${this.name}: ${after.status}`);
    this.#tokens = undefined;
  }

  /** Whether it still has what it was given, tried out. */
  async isSignedIn(): Promise<boolean> {
    if (this.#tokens === undefined) return false;
    await this.refresh(1);
    return this.#tokens !== undefined;
  }

  /** What the protected resource answers to whoever has its access token. */
  async call(): Promise<Answered> {
    if (this.#tokens === undefined) throw new Error(`${this.name} is not signed in`);
    return this.#call(this.#tokens.access_token);
  }

  /** Signs out by its refresh token. RFC 7009 §2. What it had it still has, to be tried. */
  async revoke(): Promise<Answered> {
    if (this.#tokens === undefined) throw new Error(`${this.name} is not signed in`);
    const form = this.#form({ token: this.#tokens.refresh_token, token_type_hint: "refresh_token" });
    return this.#replicas.insist(`${this.#issuer}/oauth/revoke`, form);
  }

  async #register(): Promise<string> {
    const body = JSON.stringify({ client_name: "torture", redirect_uris: [REDIRECT_URI] });
    const answer = await this.#replicas.insist(`${this.#issuer}/oauth/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    return String((JSON.parse(answer.text) as { client_id: unknown }).client_id);
  }

  /** The way of the browser: consent page, upstream, callback. `undefined` where it was cut off on the way, `later` where it was put off. */
  async #authorize(): Promise<URLSearchParams | "later" | undefined> {
    const verifier = randomBytes(32).toString("base64url");
    this.#remember(verifier);
    const request = new URLSearchParams({
      response_type: "code",
      client_id: this.#clientId,
      redirect_uri: REDIRECT_URI,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      resource: this.#resource,
      state: this.name,
    });
    const cookies = new Map<string, string>();
    const page = await this.#browse(`${this.#issuer}/oauth/authorize?${request}`, cookies);
    if (isPutOff(page)) return "later";
    const fields = [...page.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(
      ([, name = "", value = ""]): [string, string] => [name, value],
    );
    const consent = new URLSearchParams([...fields, ["action", "approve"]]);
    const approved = await this.#browse(`${this.#issuer}/oauth/consent`, cookies, consent);
    const upstream = approved.headers.get("location");
    if (upstream === null) return undefined;
    const signedIn = await this.#browse(`${upstream}&torture_user=${this.name}`, cookies);
    const callback = signedIn.headers.get("location");
    if (callback === null) return undefined;
    const back = await this.#browse(callback, cookies);
    if (isPutOff(back)) return "later";
    const location = back.headers.get("location");
    const code = location === null ? null : new URL(location).searchParams.get("code");
    if (code === null) return undefined;
    this.#remember(code);
    return new URLSearchParams({
      grant_type: "authorization_code",
      code,
      code_verifier: verifier,
      redirect_uri: REDIRECT_URI,
      client_id: this.#clientId,
      resource: this.#resource,
    });
  }

  async #browse(url: string, cookies: Map<string, string>, form?: URLSearchParams): Promise<Answered> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await this.#replicas.insist(url, {
      ...(form === undefined ? {} : formOf(form)),
      headers: { ...(form === undefined ? {} : FORM), cookie },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ""] = line.split(";", 1);
      cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    return answer;
  }

  async #redeem(code: URLSearchParams, racers: number): Promise<boolean> {
    const answers: Answered[] = [];
    const isPaid = (): boolean => answers.some((answer) => answer.status === 200);
    await Promise.all(
      Array.from({ length: racers }, async () => {
        // Who has tokens asks no more: a redemption that is repeated long after would be a replay.
        const answer = await this.#replicas.insistUnless(isPaid, `${this.#issuer}/oauth/token`, formOf(code));
        if (answer !== undefined) answers.push(answer);
      }),
    );
    this.#figures.add("codes raced for");
    const paid = answers.filter((answer) => answer.status === 200);
    if (paid.length > 1) this.#figures.fail("codes that paid twice", `${this.name}: ${paid.length} times`);
    const [winner] = paid;
    if (winner === undefined) return false;
    this.#tokens = this.#keep(winner);
    this.#spentCode = code;
    await this.#expectUsable(this.#tokens.access_token);
    return true;
  }

  /** Sends a request, and hangs up before the answer has come. */
  async #loseResponse(form: RequestInit): Promise<void> {
    const hangUp = new AbortController();
    const lost = this.#replicas.once(`${this.#issuer}/oauth/token`, { ...form, signal: hangUp.signal });
    setImmediate(() => hangUp.abort());
    await lost.then(
      () => this.#figures.add("responses that came too soon to be lost"),
      () => this.#figures.add("responses lost"),
    );
  }

  async #expectUsable(accessToken: string): Promise<void> {
    const { status } = await this.#call(accessToken);
    this.#figures.add("access tokens tried");
    if (status === 401 || status === 403) this.#figures.fail("fresh access tokens refused", `${this.name}: ${status}`);
  }

  async #call(accessToken: string): Promise<Answered> {
    return this.#replicas.insist(this.#resource, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        authorization: `Bearer ${accessToken}`,
      },
      body: PING,
    });
  }

  #keep(answer: Answered): Tokens {
    const tokens = JSON.parse(answer.text) as Tokens;
    this.#remember(tokens.access_token);
    this.#remember(tokens.refresh_token);
    return tokens;
  }

  #form(fields: Readonly<Record<string, string>>): RequestInit {
    return formOf(new URLSearchParams({ client_id: this.#clientId, ...fields }));
  }
}

/** The least that an MCP server answers. */
const PING = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
const FORM = { "content-type": "application/x-www-form-urlencoded" };

function formOf(form: URLSearchParams): RequestInit {
  return { method: "POST", headers: FORM, body: form.toString() };
}

/** Whether the client was told to come back later. RFC 6749 §4.1.2.1. */
function isPutOff({ headers }: Answered): boolean {
  const location = headers.get("location");
  return location !== null && new URL(location).searchParams.get("error") === "temporarily_unavailable";
}

function errorOf(answer: Answered | undefined): string {
  return /"error":"([a-z_]+)"/.exec(answer?.text ?? "")?.[1] ?? "no error code";
}

/** The same token with another proof. */
function forged(token: string): string {
  return token.slice(0, -10) + (token.at(-10) === "A" ? "B" : "A") + token.slice(-9);
}
