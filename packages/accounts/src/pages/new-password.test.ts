import { parse } from "node-html-parser";
import { describe, expect, test } from "vitest";
import { finishSignUpPage } from "./finish-sign-up.ts";
import { newPasswordPage } from "./new-password.ts";

const FORM = { serverName: "Notes server", action: "/oauth/x", csrfToken: "c" };
const PAGES = {
  "the end of a sign-up": finishSignUpPage({ ...FORM, email: "alice@example.com", name: "Alice" }),
  "a reset": newPasswordPage({ ...FORM, login: "alice@example.com" }),
};

describe.each(Object.entries(PAGES))("%s", (_name, text) => {
  const page = parse(text);

  test("asks for the new password twice, and says what is asked of it", () => {
    const inputs = page.querySelectorAll("input[type=password]");
    expect(inputs.map((input) => input.getAttribute("name"))).toEqual(["new_password", "repeat_password"]);
    for (const input of inputs) expect(input.getAttribute("autocomplete")).toBe("new-password");
    expect(page.querySelector("#new_password-hint")?.text).toContain("At least 8 characters");
    expect(inputs[0]?.getAttribute("aria-describedby")).toBe("new_password-hint");
  });

  test("says whose it is, to the person and to their password manager, and sends that nowhere", () => {
    expect(page.querySelector("span.host")?.text).toBe("alice@example.com");
    const owner = page.querySelector("form input[autocomplete=username]");
    expect(owner?.getAttribute("value")).toBe("alice@example.com");
    expect(owner?.hasAttribute("hidden")).toBe(true);
    expect(owner?.hasAttribute("name")).toBe(false);
  });
});

test("the end of a sign-up keeps the name that was typed, and says what comes next", () => {
  expect(parse(PAGES["the end of a sign-up"]).querySelector("#name")?.getAttribute("value")).toBe("Alice");
  expect(PAGES["the end of a sign-up"]).not.toContain("you go on to the application");
  expect(finishSignUpPage({ ...FORM, email: "a@b.example", request: "r" })).toContain("you go on to the application");
});

test("a hint and a problem both belong to the field", () => {
  const page = parse(newPasswordPage({ ...FORM, login: "alice", problem: "password_too_short" }));
  expect(page.querySelector("#new_password")?.getAttribute("aria-describedby")).toBe("problem new_password-hint");
  expect(page.querySelector("#repeat_password")?.hasAttribute("aria-describedby")).toBe(false);
});
