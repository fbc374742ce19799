/** GitHub, against a stand-in that behaves as GitHub does. */
import type { UpstreamOptions, UpstreamReply, UpstreamRequest } from "@sallyport/contracts/upstream";
import { expect, test } from "vitest";
import { CLIENT_ID, CLIENT_SECRET, open } from "../test/world.ts";
import { GitHubProvider, type GitHubProviderConfig } from "./github.ts";

const API = "https://api.github.com";

/** As https://docs.github.com/en/rest/users/users has it, in part. */
const OCTOCAT = {
  login: "octocat",
  id: 583231,
  node_id: "MDQ6VXNlcjU4MzIzMQ==",
  avatar_url: "https://avatars.githubusercontent.com/u/583231",
  html_url: "https://github.com/octocat",
  repos_url: "https://api.github.com/users/octocat/repos",
  type: "User",
  name: "The Octocat",
  email: "shown@example.com",
  total_private_repos: 7,
  plan: { name: "pro" },
};

const EMAILS = [
  { email: "octocat@users.noreply.github.com", primary: false, verified: true },
  { email: "octocat@example.com", primary: true, verified: true },
];

/** Answers whom the token belongs to, and 401 to anybody else; GitHub turns away whoever says nothing of itself. */
const forBearer =
  (answer: (request: UpstreamRequest) => unknown) =>
  (request: UpstreamRequest): UpstreamReply => {
    if (!request.headers.get("user-agent")) return { status: 403 };
    return request.session === undefined
      ? { status: 401, json: { message: "Bad credentials" } }
      : { json: answer(request) };
  };

const apiAt = (
  api: string,
  { user = OCTOCAT as unknown, emails = EMAILS as unknown, orgs = [] as readonly string[] } = {},
) => ({
  [`${api}/user`]: forBearer(() => user),
  [`${api}/user/emails`]: forBearer(() => emails),
  [`${api}/user/orgs`]: forBearer(({ url }) => {
    const page = Number(url.searchParams.get("page") ?? 1);
    const size = Number(url.searchParams.get("per_page") ?? 30);
    return orgs.slice((page - 1) * size, page * size).map((login) => ({ login }));
  }),
  [`${api}/applications/${CLIENT_ID}/token`]: (): UpstreamReply => ({ status: 204 }),
});

/** An OAuth App: tokens without end, a form unless JSON is asked for, errors with 200, scopes with commas and without those that another one contains. */
const GITHUB: UpstreamOptions = {
  issuer: "https://github.com",
  endpoints: {
    authorization: "https://github.com/login/oauth/authorize",
    token: "https://github.com/login/oauth/access_token",
    discovery: false,
    userinfo: false,
    revocation: false,
    jwks: false,
  },
  routes: apiAt(API),
  authMethod: "client_secret_post",
  givesRefreshToken: () => false,
  token: ({ access_token }, { session, headers }) => {
    const answer = { access_token: String(access_token), token_type: "bearer", scope: session?.scope.join(",") ?? "" };
    return headers.get("accept") === "application/json" ? { json: answer } : { form: answer };
  },
  refusal: () => ({ status: 200, json: { error: "bad_verification_code", error_description: "expired" } }),
};

/** A GitHub App: eight hours, a refresh token for half a year, and no scopes. */
const GITHUB_APP: UpstreamOptions = {
  givesRefreshToken: () => true,
  token: (answer) => ({
    json: { ...answer, expires_in: 28_800, refresh_token_expires_in: 15_811_200, scope: "", token_type: "bearer" },
  }),
};

const openGitHub = (config: Partial<GitHubProviderConfig> = {}, upstream: UpstreamOptions = {}) =>
  open({ ...GITHUB, ...upstream }, (common) => new GitHubProvider({ ...common, ...config }));

test("the numeric id is the subject, and the login is only a claim", async () => {
  const { claims } = await (await openGitHub()).signIn();

  expect(claims).toMatchObject({ sub: "github|583231", login: "octocat", name: "The Octocat" });
});

test("the default scopes are read:user and user:email, by the authorization endpoint of OAuth Apps, with PKCE", async () => {
  const { url } = await (await openGitHub()).begin();

  expect(url.origin + url.pathname).toBe("https://github.com/login/oauth/authorize");
  expect(url.searchParams.get("scope")).toBe("read:user user:email");
  expect(url.searchParams.get("code_challenge_method")).toBe("S256");
});

test("the address is the primary one, which GitHub has verified, and not the one that is shown", async () => {
  expect((await (await openGitHub()).signIn()).claims).toMatchObject({
    email: "octocat@example.com",
    email_verified: true,
  });
});

test("a primary address that is not verified is not taken for verified", async () => {
  const emails = [{ email: "boss@example.com", primary: true, verified: false }];
  const world = await openGitHub({}, { routes: apiAt(API, { emails }) });

  expect((await world.signIn()).claims).toMatchObject({ email: "boss@example.com", email_verified: false });
});

test("without user:email the shown address is known, and nobody vouches for it", async () => {
  const world = await openGitHub({ scopes: ["read:user"] });

  const { claims } = await world.signIn();

  expect(claims).toMatchObject({ email: "shown@example.com" });
  expect(claims).not.toHaveProperty("email_verified", true);
  expect(world.upstream.requestsTo(`${API}/user/emails`)).toHaveLength(0);
});

test("who is somebody else by a changed login stays the same by the id", async () => {
  const world = await openGitHub({}, { routes: apiAt(API, { user: { ...OCTOCAT, login: "hexacat", name: null } }) });

  expect((await world.signIn()).claims).toMatchObject({ sub: "github|583231", name: "hexacat" });
});

test.each([{ id: "583231" }, { id: 583231.5 }, { id: null }, { login: null }])(
  "a user with %j signs nobody in",
  async (damage) => {
    const world = await openGitHub({}, { routes: apiAt(API, { user: { ...OCTOCAT, ...damage } }) });

    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  },
);

test("links and figures of an account stay out of our tokens", async () => {
  const { claims } = await (await openGitHub()).signIn();

  expect(claims).not.toHaveProperty("repos_url");
  expect(claims).not.toHaveProperty("total_private_repos");
});

test("an error with status 200 is an error, and its text goes nowhere", async () => {
  const world = await openGitHub(
    {},
    { token: () => ({ json: { error: "bad_verification_code", error_description: "raw text" } }) },
  );

  const outcome = await world.signIn();

  expect(outcome).toMatchObject({ tokens: undefined, reason: "upstream_invalid_grant" });
  expect(outcome.shown).not.toContain("raw text");
});

test("wrong credentials of ours, which GitHub answers with 200, are the operator's to mend", async () => {
  const world = await openGitHub({}, { token: () => ({ json: { error: "incorrect_client_credentials" } }) });

  expect(await world.signIn()).toMatchObject({ error: "server_error", reason: "upstream_client_refused" });
});

test("an answer that is a form all the same is read", async () => {
  const world = await openGitHub(
    {},
    { token: ({ access_token }) => ({ form: { access_token: String(access_token), scope: "read:user" } }) },
  );

  expect((await world.signIn()).tokens?.scope).toBe("read:user");
});

test("scopes come back with commas, and without those that another one contains", async () => {
  const world = await openGitHub(
    { scopes: ["user", "user:email", "repo", "public_repo", "gist"] },
    { token: ({ access_token }) => ({ json: { access_token, scope: "gist,repo,user", token_type: "bearer" } }) },
  );

  const { tokens, claims } = await world.signIn();

  expect(tokens?.scope).toBe("user:email user repo public_repo gist");
  expect(claims).toMatchObject({ email: "octocat@example.com" });
});

test("an OAuth App's tokens do not expire and can't be refreshed, and our own refresh token works", async () => {
  const world = await openGitHub();
  await world.signIn();

  world.pass(10 * 86_400);
  const refreshed = await world.refresh();

  expect(refreshed.claims).toMatchObject({ sub: "github|583231" });
  expect(await world.upstreamTokens()).toMatchObject({ accessToken: expect.stringContaining("upstream-access") });
  expect(world.upstream.requestsTo("token")).toHaveLength(1);
});

test("a GitHub App's tokens are renewed after eight hours", async () => {
  const world = await openGitHub({ scopes: [] }, GITHUB_APP);
  await world.signIn();
  const first = await world.upstreamTokens();

  world.pass(28_790);
  const refreshed = await world.refresh();

  expect(first?.expiresIn).toBe(28_800);
  expect(refreshed.claims).toMatchObject({ sub: "github|583231" });
  expect((await world.upstreamTokens())?.accessToken).not.toBe(first?.accessToken);
  expect(world.upstream.requestsTo("token")).toHaveLength(2);
});

test("a GitHub App has no scopes, and the address is known where it has the permission", async () => {
  const without = {
    [`${API}/user/emails`]: (): UpstreamReply => ({
      status: 403,
      json: { message: "Resource not accessible by integration" },
    }),
  };
  const permitted = await openGitHub({ scopes: [] }, GITHUB_APP);
  const unpermitted = await openGitHub({ scopes: [] }, { ...GITHUB_APP, routes: { ...apiAt(API), ...without } });

  expect((await permitted.begin()).url.searchParams.has("scope")).toBe(false);
  expect((await permitted.signIn()).claims).toMatchObject({ email: "octocat@example.com", email_verified: true });
  expect((await unpermitted.signIn()).claims).toMatchObject({ sub: "github|583231", email: "shown@example.com" });
});

test.each([
  ["an OAuth App", {}, {}],
  ["a GitHub App", { scopes: [] }, GITHUB_APP],
])(
  "for %s, an outage of GitHub's API is no refusal, and nobody signs in without an address that they have",
  async (_, config, app) => {
    const routes = {
      ...apiAt(API),
      [`${API}/user/emails`]: (): UpstreamReply => ({ status: 502, text: "<html>502</html>" }),
    };

    expect(await (await openGitHub(config, { ...app, routes })).signIn()).toMatchObject({
      error: "temporarily_unavailable",
    });
  },
);

test("addresses that user:email does not open are no reason to go on without", async () => {
  const routes = {
    ...apiAt(API),
    [`${API}/user/emails`]: (): UpstreamReply => ({ status: 404, json: { message: "Not Found" } }),
  };

  expect(await (await openGitHub({}, { routes })).signIn()).toMatchObject({
    tokens: undefined,
    reason: "upstream_identity",
  });
});

test("Enterprise Server has its API below /api/v3, and data residency a host for it", async () => {
  for (const [githubUrl, api] of [
    ["https://github.example.com", "https://github.example.com/api/v3"],
    ["https://octocorp.ghe.com", "https://api.octocorp.ghe.com"],
  ] as const) {
    const endpoints = {
      ...GITHUB.endpoints,
      authorization: `${githubUrl}/login/oauth/authorize`,
      token: `${githubUrl}/login/oauth/access_token`,
    };
    const world = await openGitHub({ githubUrl }, { issuer: githubUrl, endpoints, routes: apiAt(api) });

    expect((await world.signIn()).claims).toMatchObject({ sub: "github|583231", email: "octocat@example.com" });
  }
});

test.each(["github.example.com", "https://github.example.com/api/v3", "http://github.example.com"])(
  "githubUrl %s is refused at the start",
  (githubUrl) => {
    const config = { baseUrl: "https://mcp.example.com", clientId: "a", clientSecret: CLIENT_SECRET, githubUrl };

    expect(() => new GitHubProvider(config)).toThrow(expect.objectContaining({ name: "ConfigurationError" }));
  },
);

test("with read:org, organisations decide who may sign in, all pages of them", async () => {
  const orgs = [...Array.from({ length: 100 }, (_, index) => `org-${index}`), "octo-org"];
  const config = { scopes: ["read:org"], allow: { organizations: ["octo-org"] } };
  const member = await openGitHub(config, { routes: apiAt(API, { orgs }) });
  const stranger = await openGitHub(config, { routes: apiAt(API, { orgs: ["octo-org-2"] }) });

  expect((await member.signIn()).claims).toMatchObject({ sub: "github|583231" });
  expect((await stranger.signIn()).tokens).toBeUndefined();
});

test("without read:org nobody is in an organisation, and GitHub is not asked", async () => {
  const world = await openGitHub(
    { allow: { organizations: ["octo-org"] } },
    { routes: apiAt(API, { orgs: ["octo-org"] }) },
  );

  expect((await world.signIn()).tokens).toBeUndefined();
  expect(world.upstream.requestsTo(`${API}/user/orgs`)).toHaveLength(0);
});

test("a grant that ends takes its one token at GitHub along, and not the whole authorization", async () => {
  const world = await openGitHub();
  await world.signIn();
  const accessToken = (await world.upstreamTokens())?.accessToken;

  await world.revoke();

  const [request] = world.upstream.requestsTo(`${API}/applications/${CLIENT_ID}/token`);
  expect(request?.method).toBe("DELETE");
  expect(JSON.parse(request?.body ?? "")).toEqual({ access_token: accessToken });
  expect(request?.headers.get("authorization")).toBe(
    `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString("base64")}`,
  );
});

test("a client can leave out what it does not need, and not what says who it is", async () => {
  const { url } = await (await openGitHub({ scopes: ["read:user", "user:email", "repo", "gist"] })).begin({
    scope: "gist admin:org",
  });

  expect(url.searchParams.get("scope")).toBe("read:user user:email gist");
});
