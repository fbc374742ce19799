/** The environment: what is understood, and how what is not is told. */
import { readFileSync } from "node:fs";
import { EnvironmentError } from "@sallyport/example-mcp-server/configuration";
import { expect, test } from "vitest";
import { readConfiguration, VARIABLES } from "./configuration.ts";

function problemsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfiguration(environment);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
}

const CHOSEN = { DEMO_PASSWORD: "a chosen password", DEMO_CLIENT_SECRET: "a chosen secret" };

test("nothing has to be set on one's own computer, and what is set to nothing counts as not set", () => {
  expect(readConfiguration({ PORT: "", SECRET: "", DEMO_PASSWORD: "" })).toEqual(readConfiguration({}));
  expect(readConfiguration({})).toMatchObject({
    storage: "memory",
    secret: undefined,
    demoPassword: { value: "demo_password", isPublished: true },
    demoClientSecret: { value: "demo_secret", isPublished: true },
  });
});

test.each(["http://127.0.0.1:8080", "http://localhost:3000", "http://[::1]:3000"])(
  "%s is one's own computer",
  (url) => {
    expect(problemsOf({ BASE_URL: url })).toEqual([]);
  },
);

test.each(["https://mcp.example.com", "https://localhost.example.com", "https://127.0.0.1.example.com", "no URL"])(
  "at %s nobody signs in with what everybody can read",
  (url) => {
    expect(problemsOf({ BASE_URL: url })).toEqual([
      "DEMO_PASSWORD: has to be set where BASE_URL is not a loopback address",
      "DEMO_CLIENT_SECRET: has to be set where BASE_URL is not a loopback address",
    ]);
    expect(problemsOf({ BASE_URL: url, ...CHOSEN })).toEqual([]);
  },
);

test("a storage that several processes share needs a secret that they share", () => {
  const url = "redis://127.0.0.1:6379";

  expect(problemsOf({ STORAGE: url })).toEqual(["SECRET: has to be set where STORAGE is shared with other processes"]);
  expect(problemsOf({ STORAGE: url, SECRET: "a secret of more than 32 bytes, made up" })).toEqual([]);
});

test.each([{ PORT: "80a" }, { SECRET: "short-one" }, { REFRESH_GRACE_PERIOD: "-1" }, { REFRESH_GRACE_PERIOD: "1e3" }])(
  "%o is refused in words that name the variable and not its value",
  (wrong) => {
    const [[name = "", value = ""] = []] = Object.entries(wrong);
    const [problem = ""] = problemsOf(wrong);

    expect(problem.startsWith(`${name}: `)).toBe(true);
    expect(problem).not.toContain(value);
  },
);

test("the README's table is the one that the program knows", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.+) \|$/gm)].map(([, name, meaning]) => [name, meaning]);

  expect(Object.fromEntries(rows)).toEqual(VARIABLES);
});
