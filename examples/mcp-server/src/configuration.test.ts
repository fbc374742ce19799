/** The environment: what is understood, and how what is not is told. */
import { readFileSync } from "node:fs";
import { ConfigurationError } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { EnvironmentError, inWordsOfTheEnvironment, readConfiguration, VARIABLES } from "./configuration.ts";

const REQUIRED = {
  UPSTREAM_AUTHORIZATION_ENDPOINT: "https://id.example.com/authorize",
  UPSTREAM_TOKEN_ENDPOINT: "https://id.example.com/token",
  UPSTREAM_CLIENT_ID: "client",
  UPSTREAM_CLIENT_SECRET: "secret",
};

function problemsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfiguration(environment);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
}

test("without any variable, everything that is missing is named at once", () => {
  expect(problemsOf({})).toEqual(Object.keys(REQUIRED).map((name) => `${name}: has to be set`));
});

test("a variable that is set to nothing counts as not set", () => {
  expect(problemsOf({ ...REQUIRED, UPSTREAM_CLIENT_ID: "", PORT: "" })).toEqual(["UPSTREAM_CLIENT_ID: has to be set"]);
});

test.each([{ PORT: "80a" }, { PORT: "70000" }, { PORT: "-1" }, { UPSTREAM_AUTH_METHOD: "private_key_jwt" }])(
  "%o is refused in words that name the variable and not its value",
  (wrong) => {
    const [[name = "", value = ""] = []] = Object.entries(wrong);
    const [problem = ""] = problemsOf({ ...REQUIRED, ...wrong });

    expect(problem.startsWith(`${name}: `)).toBe(true);
    expect(problem).not.toContain(value);
  },
);

test("an address that others can reach demands a BASE_URL", () => {
  expect(problemsOf({ ...REQUIRED, HOST: "0.0.0.0" })).toEqual([
    "BASE_URL: has to be set where HOST is not a loopback address",
  ]);
  expect(problemsOf({ ...REQUIRED, HOST: "0.0.0.0", BASE_URL: "https://mcp.example.com" })).toEqual([]);
});

test("a public client at the identity provider needs no secret there", () => {
  const { UPSTREAM_CLIENT_SECRET, ...others } = REQUIRED;

  expect(UPSTREAM_CLIENT_SECRET).toBeDefined();
  expect(problemsOf({ ...others, UPSTREAM_AUTH_METHOD: "none" })).toEqual([]);
});

test("lists are read with spaces or commas between, and without empty entries", () => {
  const { auth } = readConfiguration({
    ...REQUIRED,
    UPSTREAM_SCOPES: " openid, email  profile,",
    ALLOWED_REDIRECT_URIS: "https://a.example.com/cb, ,https://*.example.org/*",
  });

  expect(auth.scopes).toEqual(["openid", "email", "profile"]);
  expect(auth.allowedRedirectUriPatterns).toEqual(["https://a.example.com/cb", "https://*.example.org/*"]);
});

test("OpenID Connect Core §11: offline_access is asked for with prompt=consent, and only then", () => {
  const offline = readConfiguration({ ...REQUIRED, UPSTREAM_SCOPES: "openid offline_access" });

  expect(offline.auth.extraAuthorizationParams).toEqual({ prompt: "consent" });
  expect(readConfiguration(REQUIRED).auth.extraAuthorizationParams).toBeUndefined();
});

test("a key is taken as it stands, spaces included", () => {
  const key = "  thirty-two bytes at the very least  ";

  expect(readConfiguration({ ...REQUIRED, JWT_SIGNING_KEY: key }).auth.jwtSigningKey).toBe(key);
});

test("what the authorization server refuses is told in the words of the environment", () => {
  const translated = inWordsOfTheEnvironment(new ConfigurationError("allowedRedirectUriPatterns[2]", "is too wide"));
  const other = new ConfigurationError("resourceScopes", "is empty");

  expect(translated).toMatchObject({ problems: ["ALLOWED_REDIRECT_URIS: is too wide"] });
  expect(inWordsOfTheEnvironment(other)).toBe(other);
});

test("the README's table is the one that the program knows", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.+) \|$/gm)].map(([, name, meaning]) => [name, meaning]);

  expect(Object.fromEntries(rows)).toEqual(VARIABLES);
});
