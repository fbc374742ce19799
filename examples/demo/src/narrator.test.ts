/** The story in the terminal: what is shown, and what must not be. */
import { expect, test } from "vitest";
import { DidNotHold, Narrator, shortened } from "./narrator.ts";

const JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhbGljZSJ9.Xf3kQ";

function told(tell: (narrator: Narrator) => void): string {
  const lines: string[] = [];
  tell(new Narrator((line) => lines.push(line)));
  return lines.join("\n");
}

test("a secret is shown by its ends, and a short one not at all", () => {
  expect(shortened(JWT)).toBe("eyJhbG…3kQ");
  expect(shortened("hunter2")).toBe("…");
});

test("an exchange tells method, URL, status and parameters, and gives no secret away", () => {
  const text = told((narrator) =>
    narrator.exchange({
      method: "POST",
      url: new URL("https://mcp.example.com/oauth/token?query=left-out"),
      status: 200,
      sent: { grant_type: "authorization_code", code: "the-code-that-pays", absent: undefined },
      received: { access_token: JWT, expires_in: 3600 },
    }),
  );

  expect(text).toContain("POST https://mcp.example.com/oauth/token  200");
  expect(text).toMatch(/→ grant_type +authorization_code/);
  expect(text).toMatch(/← access_token +eyJhbG…3kQ/);
  expect(text).toMatch(/← expires_in +3600/);
  expect(text).not.toMatch(/the-code-that-pays|left-out|absent|eyJhbGciOi/);
});

test("a long word in a path, with which somebody's sign-in could be taken over, is shortened as well", () => {
  const url = new URL("https://id.example.com/sign-in/dQD2STWI_cSqLigqhEktAYnCwIrtcenIPlZ4h6S5XPb");

  expect(
    told((narrator) => narrator.exchange({ method: "GET", url, status: 303, received: { location: url } })),
  ).not.toContain("cSqLigqh");
});

test("without a terminal there is no colour", () => {
  expect(told((narrator) => narrator.step("A step"))).toBe("\n  1  A step");
});

test("what holds is counted, and what does not ends the story", () => {
  const lines: string[] = [];
  const narrator: Narrator = new Narrator((line) => lines.push(line));
  narrator.check(true, "the sun rises");

  expect(() => narrator.check(false, "it sets at noon")).toThrow(DidNotHold);
  expect(narrator.held).toBe(1);
  expect(lines).toEqual(["   ✓ the sun rises", "   ✗ it sets at noon"]);
});
