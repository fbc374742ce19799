import { type HTMLElement, parse } from "node-html-parser";
import { describe, expect, test } from "vitest";
import { type AccountPage, accountPage } from "./account.ts";

const PLAIN: AccountPage = {
  serverName: "Notes server",
  action: "/oauth/account",
  csrfToken: "c",
  name: "Alice",
  username: "alice",
  email: "alice@example.com",
  hasPassword: true,
  browsers: [
    { id: "here", startedAt: 0, seenAt: 3600, userAgent: undefined, isThis: true },
    { id: "there", startedAt: 0, seenAt: 7200, userAgent: "curl/8", isThis: false },
  ],
  applications: [
    {
      id: "editor",
      clientName: "Editor",
      scopes: [
        { name: "read", description: "Read your notes" },
        { name: "write", description: undefined },
      ],
      connectedAt: 0,
    },
    { id: "nameless", clientName: undefined, scopes: [], connectedAt: 0 },
  ],
  linked: [{ id: "l1", providerName: "Google", label: "alice@gmail.example", linkedAt: 0 }],
  linkable: [{ id: "github", name: "GitHub" }],
  signOut: { action: "/oauth/sign-out", csrfToken: "d" },
};

const section = (page: AccountPage, name: string): HTMLElement => {
  const found = parse(accountPage(page)).querySelector(`section[aria-labelledby=${name}]`);
  if (found === null) throw new Error(`There is no section ${name}.`);
  return found;
};

/** What a form sends without its buttons, and what each of the buttons adds. */
const formOf = (element: HTMLElement) =>
  element.querySelectorAll("form").map((form) => ({
    to: form.getAttribute("action"),
    sent: form
      .querySelectorAll("input[type=hidden]")
      .map((input) => `${input.getAttribute("name")}=${input.getAttribute("value")}`),
    typed: form.querySelectorAll("label").map((label) => label.getAttribute("for")),
    buttons: form
      .querySelectorAll("button")
      .map((button) => [button.text, button.getAttribute("name"), button.getAttribute("value")]),
  }));
const OURS = { to: "/oauth/account", typed: [] };

test("it says who is signed in, and with which names, each once", () => {
  const page = accountPage(PLAIN);
  expect(page).toContain('You are signed in as <span class="host" dir="auto">Alice</span>.');
  expect(page).toContain('<p class="soft" dir="auto">alice</p><p class="soft" dir="auto">alice@example.com</p>');
  const nameless = accountPage({ ...PLAIN, name: undefined, username: undefined });
  expect(nameless).toContain('as <span class="host" dir="auto">alice@example.com</span>.');
  expect(nameless).not.toContain('<p class="soft" dir="auto">');
});

test("what was done is said, and does not interrupt", () => {
  expect(accountPage({ ...PLAIN, done: "password_changed" })).toContain(
    '<p class="done" role="status">Your password is changed. Every other browser is signed out, and no application acts for you any more.</p>',
  );
  expect(accountPage(PLAIN)).not.toContain('role="status"');
});

describe("the name", () => {
  test("can be changed", () => {
    expect(formOf(section(PLAIN, "names"))).toEqual([
      {
        to: "/oauth/account",
        sent: ["csrf_token=c", "action=change_name"],
        typed: ["name"],
        buttons: [["Change the name", undefined, undefined]],
      },
    ]);
    expect(section(PLAIN, "names").querySelector("#name")?.getAttribute("value")).toBe("Alice");
  });

  test("that was refused is given back, with the reason beside it", () => {
    const refused = section({ ...PLAIN, typedName: "x", problem: "name_malformed" }, "names");
    expect(refused.querySelector("#name")?.getAttribute("value")).toBe("x");
    expect(refused.querySelector("[role=alert]")).not.toBeNull();
  });
});

describe("the password", () => {
  test("is changed by whoever knows the current one", () => {
    expect(formOf(section(PLAIN, "passwords"))).toEqual([
      {
        to: "/oauth/account",
        sent: ["csrf_token=c", "action=change_password"],
        typed: ["password", "new_password", "repeat_password"],
        buttons: [["Change the password", undefined, undefined]],
      },
    ]);
  });

  test("has its problems beside it", () => {
    expect(section({ ...PLAIN, problem: "password_wrong" }, "passwords").querySelector("[role=alert]")).not.toBeNull();
  });

  test("is set by mail alone where there is none yet", () => {
    const none = section({ ...PLAIN, hasPassword: false, resetUrl: "/oauth/reset-password" }, "passwords");
    expect(none.querySelector("form")).toBeNull();
    expect(none.querySelector("a")?.getAttribute("href")).toBe("/oauth/reset-password");
    expect(section({ ...PLAIN, hasPassword: false }, "passwords").querySelector("a")).toBeNull();
  });
});

describe("the browsers", () => {
  test("this one comes first, and the others as they were given", () => {
    const [here, there] = PLAIN.browsers ?? [];
    const third = { id: "third", startedAt: 0, seenAt: 0, userAgent: "wget/1", isThis: false };
    if (here === undefined || there === undefined) throw new Error("There are no browsers.");
    const rows = section({ ...PLAIN, browsers: [there, third, here] }, "browsers").querySelectorAll("li .host");
    expect(rows.map(({ text }) => text)).toEqual(["Unknown browser", "curl/8", "wget/1"]);
  });

  test("each other one can be signed out, and this one is marked", () => {
    expect(formOf(section(PLAIN, "browsers"))).toEqual([
      { ...OURS, sent: ["csrf_token=c", "action=end_session"], buttons: [["Sign out curl/8", "id", "there"]] },
    ]);
    const [here, there] = section(PLAIN, "browsers").querySelectorAll("li");
    expect(here?.text).toContain("Unknown browser this browser");
    expect(there?.text).not.toContain("this browser");
    expect(there?.querySelectorAll("time").map((time) => time.getAttribute("datetime"))).toEqual([
      "1970-01-01T00:00:00Z",
      "1970-01-01T02:00:00Z",
    ]);
  });

  test("where they can't be listed, that is said", () => {
    const unknown = section({ ...PLAIN, browsers: undefined }, "browsers");
    expect(unknown.text).toContain("can not be listed");
    expect(unknown.querySelector("form")).toBeNull();
  });
});

describe("the applications", () => {
  test("stand there with what they may do and since when, and can be disconnected", () => {
    expect(formOf(section(PLAIN, "applications"))).toEqual([
      {
        ...OURS,
        sent: ["csrf_token=c", "action=end_application"],
        buttons: [
          ["Disconnect Editor", "id", "editor"],
          ["Disconnect An unnamed application", "id", "nameless"],
        ],
      },
    ]);
    const [editor] = section(PLAIN, "applications").querySelectorAll("li");
    expect(editor?.text).toContain("Read your notes (read)");
    expect(editor?.innerHTML).toContain("<code>write</code>");
    expect(editor?.text).toContain("Since 1 January 1970, 00:00 UTC");
  });

  test("none and unknown are different things", () => {
    expect(section({ ...PLAIN, applications: [] }, "applications").text).toContain("No application acts for you.");
    const unknown = section({ ...PLAIN, applications: undefined }, "applications");
    expect(unknown.text).toContain("can not be listed");
    expect(unknown.text).not.toContain("No application");
  });
});

describe("the linked sign-ins", () => {
  test("can be unlinked, and others linked", () => {
    expect(formOf(section(PLAIN, "links"))).toEqual([
      {
        ...OURS,
        sent: ["csrf_token=c", "action=unlink"],
        buttons: [["Unlink Google alice@gmail.example", "id", "l1"]],
      },
      { ...OURS, sent: ["csrf_token=c", "action=link"], buttons: [["Link GitHub", "provider", "github"]] },
    ]);
  });

  test("are not spoken of where there is no provider", () => {
    expect(accountPage({ ...PLAIN, linked: [], linkable: [] })).not.toContain("Linked sign-ins");
  });
});

test("one signs out here, with the token of that form, or everywhere", () => {
  expect(formOf(section(PLAIN, "sign-out"))).toEqual([
    { to: "/oauth/sign-out", sent: ["csrf_token=d"], typed: [], buttons: [["Sign out", undefined, undefined]] },
    {
      ...OURS,
      sent: ["csrf_token=c", "action=sign_out_everywhere"],
      buttons: [["Sign out everywhere", undefined, undefined]],
    },
  ]);
});

test("a problem that belongs to no field stands above everything", () => {
  const page = parse(accountPage({ ...PLAIN, problem: "last_way_in" }));
  expect(page.querySelectorAll("[role=alert]")).toHaveLength(1);
  expect(page.querySelector("section [role=alert]")).toBeNull();
});
