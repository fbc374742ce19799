/** The server as a program: what it says, what it keeps, and how it ends. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { expect, onTestFinished, test } from "vitest";
import { COMMANDS, Started, startedServer } from "../test/started.ts";

const NEW_PASSWORD = "eleven quiet marmots";

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "oauth-server-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** What a person with a new browser comes to who signs in. */
async function accountOf(url: string, login: string, password: string) {
  const browser = new ScriptedBrowser();
  return browser.submit(await browser.open(url), { login, password });
}

test("it says who can sign in and where, and ends with exit code 0 on SIGTERM", async () => {
  const { server, url } = await startedServer();

  expect(server.said).toMatch(/Demo user +demo_user \/ demo_password$/m);
  expect(server.said).toMatch(/Demo client +demo_client \/ demo_secret$/m);
  expect(server.said).toContain(`${url}/oauth/sign-in\n`);
  expect(server.said).toContain("made up for this run");
  const account = await accountOf(url, "demo_user", "demo_password");
  expect([account.status, account.url.href]).toEqual([200, `${url}/oauth/account`]);
  expect(await server.stop()).toEqual({ code: 0, errors: "" });
});

test("on disk a user outlives the server, with the password that they have changed meanwhile by mail", async () => {
  const directory = temporaryDirectory();
  const environment = { STORAGE: `disk:${directory}` };
  const { server, url } = await startedServer(environment);
  const browser = new ScriptedBrowser();
  const forgotten = await browser.open(`${url}/oauth/reset-password`);
  await browser.submit(forgotten, { login: "demo_user@example.com" });
  const link = await server.line(/^ +(http\S+\/oauth\/reset-password\S*token=\S+)$/);
  expect(server.said).toContain("DEMO: a mail, shown here and sent to nobody");
  const chosen = await browser.submit(await browser.open(link), {
    new_password: NEW_PASSWORD,
    repeat_password: NEW_PASSWORD,
  });
  expect(chosen.status).toBe(200);
  await server.stop();

  const { server: restarted, url: at } = await startedServer({ ...environment, PORT: new URL(url).port });
  expect(restarted.said).not.toContain("demo_password");
  expect((await accountOf(at, "demo_user", NEW_PASSWORD)).url.pathname).toBe("/oauth/account");
  expect((await accountOf(at, "demo_user", "demo_password")).status).toBe(422);
});

test("users stay when BASE_URL changes", async () => {
  const environment = { STORAGE: `disk:${temporaryDirectory()}` };
  const { server, url } = await startedServer({ ...environment, DEMO_PASSWORD: NEW_PASSWORD });
  await server.stop();

  const port = new URL(url).port;
  const moved = await startedServer({ ...environment, PORT: port, BASE_URL: `http://localhost:${port}` });
  expect(moved.server.said).toContain("demo_user / (the one from an earlier start");
  expect((await accountOf(moved.url, "demo_user", NEW_PASSWORD)).url.pathname).toBe("/oauth/account");
});

test("the secret is made up once, for nobody else to read, and nothing is kept in the clear beside it", async () => {
  const directory = temporaryDirectory();
  const { server } = await startedServer({ STORAGE: `disk:${directory}` });
  expect(server.said).toContain("for trying things out only");
  await server.stop();

  expect(statSync(join(directory, "secret")).mode & 0o777).toBe(0o600);
  const kept = readdirSync(directory).map((name) => readFileSync(join(directory, name), "latin1"));
  expect(kept.join("\n")).not.toMatch(/demo_user|demo_password|argon2/);
});

test("a mail leads to an account of one's own", async () => {
  const { server, url } = await startedServer();
  const browser = new ScriptedBrowser();
  await browser.submit(await browser.open(`${url}/oauth/sign-up`), {
    email: "alice@example.com",
    login: "alice@example.com",
  });
  const page = await browser.open(await server.line(/^ +(http\S+\/oauth\/sign-up\S*token=\S+)$/));
  const account = await browser.submit(page, {
    name: "Alice",
    new_password: NEW_PASSWORD,
    repeat_password: NEW_PASSWORD,
  });

  expect([account.status, account.url.pathname]).toEqual([200, "/oauth/account"]);
});

test("what somebody has chosen is not shown, and counts", async () => {
  const { server, url } = await startedServer({ DEMO_PASSWORD: NEW_PASSWORD, DEMO_CLIENT_SECRET: "a chosen secret" });

  expect(server.said).not.toMatch(/eleven quiet marmots|a chosen secret|demo_password|demo_secret/);
  expect((await accountOf(`${url}/oauth/sign-in`, "demo_user", NEW_PASSWORD)).url.pathname).toBe("/oauth/account");
});

test.each([
  ["a password that is tried first", { DEMO_PASSWORD: "password1" }, /^DEMO_PASSWORD: [^\n]+\n$/],
  ["a directory that can't be made", { STORAGE: "disk:/dev/null/x" }, /^STORAGE: [^\n]+\n$/],
  [
    "another place, with what everybody can read",
    { BASE_URL: "https://mcp.example.com" },
    /^DEMO_PASSWORD: has to be set [^\n]+\nDEMO_CLIENT_SECRET: has to be set [^\n]+\n$/,
  ],
])("%s is refused by the variable's name, and is not shown", async (_what, environment, complaint) => {
  const server = new Started(COMMANDS.server, { PORT: "0", ...environment });
  const { code, errors } = await server.ended();

  expect(code).toBe(1);
  expect(errors).toMatch(complaint);
  expect(errors).not.toContain("password1");
});
