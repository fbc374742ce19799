/** Accounts go on where they were, whatever is killed in the middle of it: over every storage that outlives a process. */
import { type Page, ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { freePort, installedPostgres, installedRedis, until } from "@sallyport/test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { REDIRECT_URI } from "./person.ts";
import { readable } from "./readable.ts";
import { Replica } from "./replica.ts";
import { ACCOUNTS_PROGRAM } from "./served-example.ts";
import { onDisk, onPostgres, onRedis, type StorageOnTrial } from "./storage-on-trial.ts";
import { subjectOf, whoIs } from "./tool-call.ts";

/** Some thirty starts of a server. */
vi.setConfig({ testTimeout: 180_000 });

const STORAGES = [
  { name: "disk", open: onDisk, hasServer: false, isThere: true },
  { name: "Redis", open: onRedis, hasServer: true, isThere: (await installedRedis()) !== undefined },
  { name: "PostgreSQL", open: onPostgres, hasServer: true, isThere: (await installedPostgres()) !== undefined },
];

const PASSWORDS = ["correct horse battery staple", "another horse battery staple"] as const;
const NAME = "Wolfeschlegelsteinhausen";
/** Whatever a hash of a password begins with. */
const HASH = "$argon2id$v=19$m=19456,t=2,p=1$";

/** What accounts keep, by the names of the records. */
const KINDS = ["user", "login", "session", "mail", "attempts"];

/** A browser that remembers what was ever set in it. */
class RememberingBrowser extends ScriptedBrowser {
  readonly cookies: string[] = [];

  constructor() {
    super({
      stopAt: (url) => url.href.startsWith(REDIRECT_URI),
      fetch: async (request) => {
        const answer = await fetch(request);
        const values = answer.headers.getSetCookie().map((cookie) => /^[^=]+=([^;]*)/.exec(cookie)?.[1] ?? "");
        this.cookies.push(...values.filter((value) => value.length >= 20));
        return answer;
      },
    });
  }
}

for (const { name, open, hasServer, isThere } of STORAGES) {
  describe.skipIf(!isThere)(name, () => {
    let storage: StorageOnTrial;
    let server: Replica;
    let mcpUrl: URL;
    let count = 0;
    let email: string;
    beforeAll(async () => {
      storage = await open();
      const environment = { STORAGE: storage.setting, SECRET: "a secret of the end-to-end tests, long enough" };
      server = new Replica(await freePort(), environment, ACCOUNTS_PROGRAM);
      mcpUrl = new URL(`${server.origin}/mcp`);
    });
    beforeEach(async () => {
      count += 1;
      email = `somebody-of-test-${count}@example.com`;
      await server.start();
    });
    afterAll(async () => {
      await server.kill();
      await storage.stop();
    });

    const url = (path: string) => `${server.origin}/oauth${path}`;

    /** The link of the mail that the server sends now. It is shown after the page that it was asked for on. */
    async function mailed(path: string): Promise<string> {
      const pattern = new RegExp(`${url(path)}\\?token=\\S+`);
      return until(`there is a mail with a link to ${path}`, async () => {
        const found = server.served.said.findLast((line) => pattern.test(line));
        return found === undefined ? Promise.reject(new Error("not yet")) : (pattern.exec(found)?.[0] ?? "");
      });
    }

    /** The page behind a link of a page. */
    async function follow(browser: ScriptedBrowser, page: Page, path: string): Promise<Page> {
      const [, href = ""] = new RegExp(`href="([^"]*${path}[^"]*)"`).exec(page.html) ?? [];
      return browser.open(href.replaceAll("&amp;", "&"));
    }

    /** From a client's link to the page where one signs in. */
    async function toSignIn(browser: ScriptedBrowser, client: StrictClient, meanwhile: () => Promise<void>) {
      const authorizationUrl = await client.knock();
      await meanwhile();
      const consent = await browser.open(authorizationUrl);
      await meanwhile();
      return browser.submit(consent, { action: "approve" });
    }

    const bothNew = (password: string) => ({ new_password: password, repeat_password: password });

    /** Sign-up, sign-in and reset, with something in between every two steps; every secret that there was. */
    async function expectToGoOn(meanwhile: () => Promise<void>): Promise<readonly string[]> {
      const [laptop, phone] = [new RememberingBrowser(), new RememberingBrowser()];
      const [first, second] = [new StrictClient(mcpUrl, "none"), new StrictClient(mcpUrl, "client_secret_basic")];
      const secrets: string[] = [];

      const page = await toSignIn(laptop, first, meanwhile);
      await meanwhile();
      const signUp = await follow(laptop, page, "/sign-up");
      await meanwhile();
      await laptop.submit(signUp, { email });
      const signUpLink = await mailed("/sign-up/finish");
      await meanwhile();
      const rest = await laptop.open(signUpLink);
      await meanwhile();
      const joined = await laptop.submit(rest, { name: NAME, ...bothNew(PASSWORDS[0]) });
      await meanwhile();
      await first.finish(joined.url);
      await meanwhile();
      const subject = subjectOf(await first.call("whoami"));
      // A link works once, also for a server that has been started since.
      expect((await laptop.open(signUpLink)).status).toBe(400);

      await meanwhile();
      const wrong = await phone.submit(await toSignIn(phone, second, meanwhile), {
        login: email,
        password: PASSWORDS[1],
      });
      expect(wrong.status).toBe(422);
      await meanwhile();
      const signedIn = await phone.submit(wrong, { login: email, password: PASSWORDS[0] });
      await meanwhile();
      await second.finish(signedIn.url);
      await meanwhile();
      secrets.push(second.tokens.access_token, second.tokens.refresh_token);
      second.tokens = await second.refresh();
      await meanwhile();
      expect(subjectOf(await second.call("whoami"))).toBe(subject);
      // Both browsers are still signed in, and the account's page knows of both.
      await meanwhile();
      const account = await phone.open(url("/account"));
      expect(account.text).toContain(`You are signed in as ${NAME}`);
      expect(account.html.match(/value="end_session"/g)).toHaveLength(1);

      await meanwhile();
      const forgotten = await phone.open(url("/reset-password"));
      await meanwhile();
      await phone.submit(forgotten, { login: email });
      const resetLink = await mailed("/reset-password/finish");
      await meanwhile();
      const choice = await phone.open(resetLink);
      await meanwhile();
      const reset = await phone.submit(choice, bothNew(PASSWORDS[1]));
      expect(reset.text).toContain(`You are signed in as ${NAME}`);
      await meanwhile();
      expect((await laptop.open(url("/account"))).text).toContain("Sign in to");
      for (const { tokens } of [first, second]) expect(await whoIs(mcpUrl, tokens.access_token)).toBe(401);
      await expect(second.refresh()).rejects.toMatchObject({ error: "invalid_grant" });
      expect((await phone.open(resetLink)).status).toBe(400);

      for (const { tokens } of [first, second]) secrets.push(tokens.access_token, tokens.refresh_token);
      for (const link of [signUpLink, resetLink]) secrets.push(new URL(link).searchParams.get("token") ?? "");
      for (const { searchParams } of [joined.url, signedIn.url]) secrets.push(searchParams.get("code") ?? "");
      return [...secrets, ...laptop.cookies, ...phone.cookies];
    }

    test("killed with SIGKILL between every two steps of a sign-up, a sign-in and a reset, the server goes on", async () => {
      const secrets = await expectToGoOn(() => server.killAndStart());
      // It lets go of its storage, or else it would not end.
      expect(await server.served.stop()).toEqual({ code: 0, signal: null });
      const dump = await storage.dump();

      // All of it is there, and sealed.
      for (const kind of KINDS) expect(dump).toContain(`accounts-${kind}:`);
      expect(secrets.length).toBeGreaterThan(15);
      expect(readable(dump, [...secrets, ...PASSWORDS, email, NAME, HASH])).toEqual([]);
    });

    if (!hasServer) return;

    test("killed together with the server of its storage, it goes on as well", async () => {
      await expectToGoOn(async () => {
        await Promise.all([storage.server?.kill(), server.kill()]);
        await storage.server?.start();
        await server.start();
      });
      await server.kill();
    });

    test("while the server of its storage is away, nobody is signed out: they are told to wait", async () => {
      const browser = new RememberingBrowser();
      const signIn = await browser.open(url("/sign-in"));
      const demo = { login: "demo_user", password: "demo_password" };
      expect((await browser.submit(signIn, demo)).text).toContain("You are signed in as");
      await storage.server?.kill();
      const away = await browser.open(url("/account"));
      const guess = await new RememberingBrowser().open(url("/sign-in"));

      expect(away.status).toBe(503);
      expect(away.url.pathname).toBe("/oauth/account");
      // The page needs nothing that is kept; what is typed there does.
      expect(guess.status).toBe(200);
      const stranger = new RememberingBrowser();
      expect((await stranger.submit(await stranger.open(url("/sign-in")), demo)).status).toBe(503);

      await storage.server?.start();
      const back = await until("the storage is back", async () => {
        const page = await browser.open(url("/account"));
        return page.status === 503 ? Promise.reject(new Error("not yet")) : page;
      });
      expect(back.text).toContain("You are signed in as");
      await server.kill();
    });
  });
}
