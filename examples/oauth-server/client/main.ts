/** The client as a program: performs the whole flow against a running server, and tells it. */
import { parseArgs } from "node:util";
import { DidNotHold, Narrator } from "@sallyport/example-demo/narrator";
import { CallbackListener } from "./callback-listener.ts";
import { DemoClient, isLoopback } from "./demo-client.ts";
import { NotSignedIn, scriptedPerson, youYourself } from "./person.ts";
import { tell } from "./story.ts";

const HELP = `Performs the whole flow, step by step, and tells it. The exit code is 0 only if every step held.

  --server URL            where the server is; default: http://127.0.0.1:3000
  --as LOGIN:PASSWORD     signs in by itself, instead of sending you to your browser
  DEMO_CLIENT_SECRET      the environment variable with the client's secret; default: demo_secret`;

/** What was typed can't be used. */
class Misunderstood extends Error {
  override readonly name = "Misunderstood";
}

interface Given {
  readonly server: URL;
  readonly as: { readonly login: string; readonly password: string } | undefined;
}

function read({ server, as }: { readonly server: string; readonly as?: string | undefined }): Given {
  const url = URL.parse(server.replace(/\/+$/, ""));
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url));
  if (url === null || !isSafe) throw new Misunderstood("--server has to be https, or http at a loopback address.");
  if (as === undefined) return { server: url, as };
  const [, login, password] = /^([^:]+):(.+)$/s.exec(as) ?? [];
  if (login === undefined || password === undefined) throw new Misunderstood("--as has to be LOGIN:PASSWORD.");
  return { server: url, as: { login, password } };
}

async function perform({ server, as }: Given): Promise<void> {
  const narrator = new Narrator();
  const listener = await CallbackListener.start();
  try {
    const mcpUrl = new URL(`${server.href.replace(/\/$/, "")}/mcp`);
    const redirectUri = listener.url;
    const clientSecret = process.env["DEMO_CLIENT_SECRET"] || "demo_secret";
    narrator.title("A client of a server with accounts of its own");
    narrator.pair("Server", server.href);
    narrator.pair("Listens at", redirectUri);
    await tell({
      narrator,
      listener,
      client: new DemoClient({ mcpUrl, clientId: "demo_client", clientSecret, redirectUri }),
      person: as === undefined ? youYourself(narrator) : scriptedPerson(narrator, { ...as, redirectUri }),
    });
    narrator.title(`Everything held: ${narrator.held} checks.`);
  } finally {
    await listener.close();
  }
}

/** What can be said in a sentence; anything else is a fault, and is shown with its stack. */
function sentenceFor(error: unknown): string | undefined {
  if (error instanceof DidNotHold || error instanceof NotSignedIn || error instanceof Misunderstood)
    return error.message;
  const isUnreachable =
    error instanceof TypeError &&
    error.cause instanceof Error &&
    "code" in error.cause &&
    error.cause.code === "ECONNREFUSED";
  return isUnreachable ? "Nobody answers there. Start the server first, or name it with --server." : undefined;
}

try {
  const { values } = parseArgs({
    options: {
      server: { type: "string", default: "http://127.0.0.1:3000" },
      as: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) console.log(HELP);
  else await perform(read(values));
} catch (error) {
  process.exitCode = 1;
  console.error(`\n  ${sentenceFor(error) ?? String(error instanceof Error ? error.stack : error)}`);
}
