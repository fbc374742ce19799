/** The demo: starts a real identity provider and a real MCP server, and walks a real client through the whole flow. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DidNotHold, Narrator } from "./narrator.ts";
import { Program, ProgramFailed } from "./program.ts";
import { tellSignedIn } from "./signed-in.ts";
import { tellSigningIn } from "./signing-in.ts";
import { type Setting, Stage } from "./stage.ts";

const UPSTREAM_TOKEN_TTL = 3;

interface Cast {
  readonly identityProvider: Program;
  readonly server: Program;
  readonly jwtSigningKey: string;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}

const newSecret = () => randomBytes(32).toString("base64url");

/** A place for the sign-ins, which is gone when the demo is. */
function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-demo-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function startAll(signal: AbortSignal): Promise<Cast> {
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const client = { CLIENT_ID: "sallyport-demo", CLIENT_SECRET: newSecret() };
  const identityProvider = await Program.start(
    "identity provider",
    "@sallyport/example-demo-idp/main",
    {
      ...client,
      PORT: "0",
      CLIENT_NAME: "Sallyport example",
      REDIRECT_URIS: `${baseUrl}/oauth/callback`,
      ACCESS_TOKEN_TTL: String(UPSTREAM_TOKEN_TTL),
    },
    signal,
  );
  const upstream = identityProvider.url;
  const jwtSigningKey = newSecret();
  const server = await Program.start(
    "MCP server",
    "@sallyport/example-mcp-server/main",
    {
      PORT: new URL(baseUrl).port,
      BASE_URL: baseUrl,
      STORAGE: `disk:${temporaryDirectory()}`,
      UPSTREAM_ISSUER: upstream,
      UPSTREAM_AUTHORIZATION_ENDPOINT: `${upstream}/authorize`,
      UPSTREAM_TOKEN_ENDPOINT: `${upstream}/token`,
      UPSTREAM_USERINFO_ENDPOINT: `${upstream}/userinfo`,
      UPSTREAM_CLIENT_ID: client.CLIENT_ID,
      UPSTREAM_CLIENT_SECRET: client.CLIENT_SECRET,
      UPSTREAM_SCOPES: "openid profile email offline_access",
      SALLYPORT_SECRET: newSecret(),
      JWT_SIGNING_KEY: jwtSigningKey,
    },
    signal,
  );
  return { identityProvider, server, jwtSigningKey };
}

/** From the first request to the last. @throws {DidNotHold} at the first thing that does not hold */
async function tell(setting: Setting): Promise<void> {
  const stage = new Stage(setting);
  await tellSigningIn(stage);
  await tellSignedIn(stage);
}

function tellWhatNext(narrator: Narrator, mcpUrl: URL): void {
  narrator.title("Both servers stay up. What to try next:");
  narrator.pair("In a browser", mcpUrl.origin);
  narrator.pair("With the Inspector", "npx @modelcontextprotocol/inspector");
  narrator.pair("", `then add a server of the type “Streamable HTTP” with ${mcpUrl}`);
  narrator.pair("With mcp-remote", `npx -p mcp-remote mcp-remote-client ${mcpUrl}`);
  narrator.pair("With curl", `curl -i -X POST ${mcpUrl}`);
  narrator.plain();
  narrator.plain("Any user name signs in. As “admin” you may use admin_only. Ctrl-C ends both.");
}

async function demonstrate(narrator: Narrator, stayUp: boolean, signal: AbortSignal): Promise<void> {
  const interrupted = once(signal, "abort");
  narrator.title("Sallyport demo");
  const cast = await startAll(signal);
  const { identityProvider, server, jwtSigningKey } = cast;
  const crashed = Promise.race([identityProvider.crashed, server.crashed]);
  const mcpUrl = new URL(`${server.url}/mcp`);
  try {
    narrator.pair("Identity provider", `${identityProvider.url}  (any user name signs in)`);
    narrator.pair("MCP server", mcpUrl.href);
    narrator.pair("What it remembers", "on disk, in a directory that goes with the demo");
    const setting = { narrator, mcpUrl, server, identityProvider, upstreamTokenTtl: UPSTREAM_TOKEN_TTL, jwtSigningKey };
    await Promise.race([tell(setting), crashed, interrupted]);
    signal.throwIfAborted();
    narrator.title(`Everything held: ${narrator.held} checks.`);
    if (!stayUp) return;
    tellWhatNext(narrator, mcpUrl);
    await Promise.race([crashed, interrupted]);
  } finally {
    await Promise.all([identityProvider.end(), server.end()]);
  }
}

const { values } = parseArgs({
  options: { once: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
if (values.help) {
  console.log(
    "Shows the whole flow, step by step, and stays up.\n\n  --once   end after the flow; the exit code is 0 only if every step held",
  );
} else {
  const narrator = new Narrator();
  // What the client library remarks belongs to the story.
  console.warn = (...words: readonly unknown[]) => narrator.say(words.join(" "));
  const interruption = new AbortController();
  // The second one ends at once, and the programs with it.
  const interrupt = () => (interruption.signal.aborted ? process.exit(130) : interruption.abort());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  try {
    await demonstrate(narrator, !values.once, interruption.signal);
  } catch (error) {
    process.exitCode = interruption.signal.aborted ? 130 : 1;
    if (error instanceof DidNotHold || error instanceof ProgramFailed) console.error(`\n  ${error.message}`);
    else if (!interruption.signal.aborted) console.error(error);
    // Where the start failed halfway, the half that was started goes as well.
    interruption.abort();
  }
}
