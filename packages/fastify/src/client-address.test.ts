import { fastify } from "fastify";
import { fastify as oldestFastify } from "fastify-oldest";
import { describe, expect, onTestFinished, test } from "vitest";
import { tellsAddress } from "../../contracts/test/mounted.ts";
import { listen } from "../test/subject.ts";
import { oauth } from "./index.ts";

/** What the client wrote, and behind it what the proxy has added. */
const FORWARDED = "198.51.100.1, 203.0.113.7";

describe.each([
  ["the newest Fastify", fastify],
  ["the oldest Fastify", oldestFastify],
])("%s", (_, create) => {
  /** What the server is told, with this setting of trust. */
  async function ask(trustProxy: string | boolean | string[] | (() => boolean), options = {}, path = "/where") {
    const app = create({ trustProxy, forceCloseConnections: true });
    app.get("/login", () => "the app");
    const { port, close } = await listen(app.register(oauth(tellsAddress, options)));
    onTestFinished(close);
    return (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { "x-forwarded-for": FORWARDED } })).text();
  }

  test.each([
    ["nobody", false, "127.0.0.1"],
    ["the proxy", "127.0.0.1", "203.0.113.7"],
    ["the proxy's network", ["10.0.0.0/8", "loopback"], "203.0.113.7"],
    ["another network", "10.0.0.0/8", "127.0.0.1"],
    // Fastify itself takes the entry that the client wrote.
    ["everybody", true, "198.51.100.1"],
  ])("`trustProxy` decides: %s", async (_name, trustProxy, expected) => {
    expect(await ask(trustProxy)).toBe(expected);
  });

  test("the option clientAddress overrules it", async () => {
    expect(await ask(true, { clientAddress: () => "192.0.2.1" })).toBe("192.0.2.1");
    expect(await ask(true, { clientAddress: () => undefined })).toBe("unknown");
  });

  test("nobody looks for the address of a request that is none of the server's", async () => {
    let looked = 0;
    const trustProxy = () => {
      looked += 1;
      return false;
    };
    expect([await ask(trustProxy, {}, "/login"), looked]).toEqual(["the app", 0]);
    expect([await ask(trustProxy), looked]).toEqual(["127.0.0.1", 1]);
  });
});
