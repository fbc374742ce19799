/** The server as a program, which says what it has set up. */
import { runProgram } from "@sallyport/example-mcp-server/program";
import { type Chosen, type Configuration, readConfiguration } from "./configuration.ts";
import { DEMO_USER } from "./demo-user.ts";
import { DEMO_CLIENT, type RunningServer, startServer } from "./server.ts";

/** What stands in the README may stand in a terminal; what somebody has chosen stays with them. */
const shown = ({ value, isPublished }: Chosen, variable: string) => (isPublished ? value : `(as in ${variable})`);

/** Where the users are, without the rest of a URL, which may have a password in it. */
function placeOf({ storage, secret }: Configuration): string {
  if (storage === "memory")
    return secret === undefined
      ? "in memory, sealed with a secret that was made up for this run: when the server ends, all of it is gone"
      : "in memory: when the server ends, they are gone";
  if (!storage.startsWith("disk:")) return "in a database";
  return secret === undefined
    ? "on disk, sealed with the secret that is kept beside them: for trying things out only"
    : "on disk, sealed";
}

function announce({ baseUrl, demoUser }: RunningServer, configuration: Configuration): void {
  const password =
    demoUser === "made"
      ? shown(configuration.demoPassword, "DEMO_PASSWORD")
      : "(the one from an earlier start, or what it was changed to since)";
  const told = {
    Tools: `${baseUrl}/mcp`,
    "Sign in": `${baseUrl}/oauth/sign-in`,
    "Your account": `${baseUrl}/oauth/account`,
    "Create an account": `${baseUrl}/oauth/sign-up`,
    "Demo user": `${DEMO_USER} / ${password}`,
    "Demo client": `${DEMO_CLIENT.clientId} / ${shown(configuration.demoClientSecret, "DEMO_CLIENT_SECRET")}`,
    Users: placeOf(configuration),
    Mails: "are shown here and sent to nobody",
  };
  for (const [name, value] of Object.entries(told)) console.log(`  ${name.padEnd(18)} ${value}`);
}

await runProgram(async () => {
  const configuration = readConfiguration(process.env);
  const server = await startServer(configuration);
  announce(server, configuration);
  return server;
});
