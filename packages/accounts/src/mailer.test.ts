import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { describe, expect, test } from "vitest";
import { at, choose, eventsOf, forget, mailOf, toNewPassword } from "../test/visits.ts";
import { PASSWORD, world } from "../test/world.ts";
import type { Mail, MailKind } from "./mailer.ts";
import { Mailer } from "./mailer.ts";

const ALICE = { username: "alice", email: "alice@example.com", password: PASSWORD };

describe("a mail that can't be sent", () => {
  test.each([
    [
      "throws",
      () => {
        throw new Error("no mail server");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no mail server"))],
    ["rejects with nothing", () => Promise.reject()],
  ])("does not get in the way of the page where sendMail %s, and is an event", async (_, sendMail) => {
    const on = world({ accounts: { sendMail } });
    const { id } = await on.accounts.createUser(ALICE);
    const page = await forget("alice", on.browser());
    expect(page.status).toBe(200);
    await on.accounts.settled();
    expect(eventsOf(on, "account.mail_failed")).toMatchObject([{ mail: "reset_password", subject: id }]);
    expect(eventsOf(on, "account.mailed")).toEqual([]);
    expect(JSON.stringify(on.events)).not.toContain("sp_mt_");
  });

  test("keeps nobody waiting where sendMail hangs", async () => {
    const waiting: (() => void)[] = [];
    const sendMail = () => new Promise<void>((resolve) => waiting.push(resolve));
    const on = world({ accounts: { sendMail } });
    await on.accounts.createUser(ALICE);
    expect((await forget("alice", on.browser())).status).toBe(200);
    expect(waiting).toHaveLength(1);
    let settled = false;
    const settling = on.accounts.settled().then(() => (settled = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    waiting[0]?.();
    await settling;
    expect(eventsOf(on, "account.mailed")).toHaveLength(1);
  });

  test("begins when the person has been answered: its time tells nobody that there is an account", async () => {
    const order: string[] = [];
    const on = world({ accounts: { sendMail: () => void order.push("mail") } });
    await on.accounts.createUser(ALICE);
    const visit = async (request: Request) => {
      const response = await on.auth.fetch(request);
      order.push(request.method);
      return response;
    };
    await forget("alice", new ScriptedBrowser({ fetch: visit }));
    await on.accounts.settled();
    expect(order).toEqual(["GET", "POST", "mail"]);
  });

  test("does not undo the new password that it would have told of", async () => {
    const mails: Mail[] = [];
    const sendMail = (mail: Mail) => {
      if (mail.kind === "password_changed") throw new Error("no mail server");
      mails.push(mail);
    };
    const on = world({ accounts: { sendMail } });
    await on.accounts.createUser(ALICE);
    const browser = on.browser();
    await forget("alice", browser);
    await on.accounts.settled();
    const account = await choose(browser, await browser.open(mails[0]?.url ?? ""));
    expect(account.url.href).toBe(at("/account"));
    await on.accounts.settled();
    expect(eventsOf(on, "account.mail_failed")).toMatchObject([{ mail: "password_changed" }]);
  });
});

describe("the words", () => {
  const occasion = { to: "alice@example.com", url: "https://notes.example/oauth/x", name: undefined, subject: "id" };

  test.each<MailKind>(["sign_up", "already_registered", "reset_password", "password_changed", "sign_in_linked"])(
    "of %s name the server and carry the link, on a line of its own",
    async (kind) => {
      const mails: Mail[] = [];
      const mailer = new Mailer({
        sendMail: (mail) => void mails.push(mail),
        serverName: "Notes",
        observe: () => undefined,
        runtime: { pause: async () => undefined },
      });
      expect(mailer.works).toBe(true);
      mailer.send({ ...occasion, kind });
      await mailer.settled();
      const [mail] = mails;
      expect(mail?.subject).toContain("Notes");
      expect(mail?.text).toMatch(/^Hello,\n\n/);
      expect(mail?.text.split("\n")).toContain(occasion.url);
      expect(mail).not.toHaveProperty("userId");
    },
  );

  test("the subject line and the address have nothing of a stranger's in them", async () => {
    const on = world();
    await on.accounts.createUser({ ...ALICE, name: "Alice, please call +1 555 now" });
    await toNewPassword(on, "alice");
    const mail = await mailOf(on, "reset_password");
    expect(mail.subject).toBe("A new password for Notes");
    expect(mail.text).toContain("Hello Alice, please call +1 555 now,");
    expect(mail.text.split("\n").filter((line) => line.startsWith("http"))).toEqual([mail.url]);
  });

  test("without sendMail nothing is sent, and nothing waits", async () => {
    const runtime = { pause: async () => undefined };
    const mailer = new Mailer({ sendMail: undefined, serverName: "Notes", observe: () => undefined, runtime });
    expect(mailer.works).toBe(false);
    mailer.send({ ...occasion, kind: "sign_up" });
    await mailer.settled();
  });
});
