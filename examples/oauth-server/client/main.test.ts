/** The client, run as the README says, against the server, run as the README says. */
import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { expect, test } from "vitest";
import { COMMANDS, Started, startedServer } from "../test/started.ts";
import { CallbackListener } from "./callback-listener.ts";

const [BY_HAND, BY_ITSELF] = COMMANDS.clients;
if (BY_HAND === undefined || BY_ITSELF === undefined) throw new Error("The README has too few commands.");
const byHand = BY_HAND;
const byItself = BY_ITSELF;

const SECRETS = /eyJ[\w-]{20}|sp_(?:rt|ac)_[\w-]{20}|demo_password|demo_secret|\bs1\.[\w-]{20}/;
/** A shorter grace period than anybody would configure, so that nobody waits for its end. */
const SHORT_GRACE = { REFRESH_GRACE_PERIOD: "1" };

test("signed in by itself, every step holds, the exit code is 0, and no secret is shown", async () => {
  const { server, url } = await startedServer(SHORT_GRACE);
  const client = new Started(byItself, {}, "--server", url);

  expect(await client.ended()).toEqual({ code: 0, errors: "" });
  expect(client.said).toMatch(/Everything held: \d\d checks/);
  expect(client.said).not.toContain("✗");
  expect(client.said).toContain('"preferred_username": "demo_user"');
  // It is asked for, and stands on no page and in no token.
  const mentions = client.lines.filter((line) => line.includes("launch:missiles"));
  expect(mentions.every((line) => /→ scope|^ +scope|✓/.test(line))).toBe(true);
  expect(client.said).not.toMatch(SECRETS);
  expect(await server.stop()).toMatchObject({ code: 0 });
});

test("a person with a browser of their own signs in once, and allows it twice", async () => {
  const { url } = await startedServer(SHORT_GRACE);
  const client = new Started(byHand, {}, "--server", url);
  const browser = new ScriptedBrowser();

  const consent = await browser.open(await client.line(/^ +(http\S+\/oauth\/authorize\?\S+)$/));
  const signIn = await browser.submit(consent, { action: "approve" });
  const end = await browser.submit(signIn, { login: "demo_user", password: "demo_password" });
  expect(end.text).toContain("You can close this page.");

  const again = await browser.open(await client.line(/^ +(http\S+\/oauth\/authorize\?\S+)$/, client.lines.length));
  expect((await browser.submit(again, { action: "approve" })).text).toContain("You can close this page.");
  expect(await client.ended()).toEqual({ code: 0, errors: "" });
});

test("a person who refuses is told of in a sentence, and the exit code is 1", async () => {
  const { url } = await startedServer();
  const client = new Started(byHand, {}, "--server", url);
  const browser = new ScriptedBrowser();
  const consent = await browser.open(await client.line(/^ +(http\S+\/oauth\/authorize\?\S+)$/));
  await browser.submit(consent, { action: "deny" });
  const { code, errors } = await client.ended();

  expect(code).toBe(1);
  expect(errors.trim()).toBe("This did not hold: the person has allowed it");
});

test("a wrong password ends it with exit code 1, and is not repeated", async () => {
  const { url } = await startedServer();
  const command = { ...byItself, program: byItself.program.map((word) => word.replace(/:.*$/, ":a-wrong-password")) };
  const client = new Started(command, {}, "--server", url);
  const { code, errors } = await client.ended();

  expect(code).toBe(1);
  expect(errors.trim()).toMatch(/^The pages end here: “[^\n]+”$/);
  expect(client.said + errors).not.toContain("a-wrong-password");
});

test("a wrong client secret ends it, and is not repeated", async () => {
  const { url } = await startedServer();
  const client = new Started(byItself, { DEMO_CLIENT_SECRET: "not-the-secret" }, "--server", url);
  const { code, errors } = await client.ended();

  expect(code).toBe(1);
  expect(client.said + errors).not.toContain("not-the-secret");
});

test("where nobody answers it says so in a sentence", async () => {
  const gone = await CallbackListener.start();
  await gone.close();
  const client = new Started(byHand, {}, "--server", new URL(gone.url).origin);

  expect(await client.ended()).toEqual({
    code: 1,
    errors: "\n  Nobody answers there. Start the server first, or name it with --server.\n",
  });
});

test.each(["http://a.example", "http://127.0.0.1.a.example", "ftp://127.0.0.1", "no URL"])(
  "to %s it sends nothing: it is neither https nor this computer",
  async (url) => {
    const client = new Started(byHand, {}, "--server", url);

    expect(await client.ended()).toEqual({
      code: 1,
      errors: "\n  --server has to be https, or http at a loopback address.\n",
    });
    expect(client.said).toBe("");
  },
);
