import { expect, test } from "vitest";
import { field } from "./field.ts";

test.each(["password", "new_password", "repeat_password"] as const)(
  "%s is never given back, whatever is passed",
  (name) => {
    expect(field(name, { label: "Password", value: "secret", problem: undefined }).text).not.toContain("secret");
  },
);

test("a name may begin with a capital letter, and what is compared letter by letter is left alone", () => {
  expect(field("name", { label: "Your name", problem: undefined }).text).not.toContain("autocapitalize");
  expect(field("login", { label: "Username", problem: undefined }).text).toContain('autocapitalize="none"');
});
