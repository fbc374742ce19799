import Koa from "koa";
import mount from "koa-mount";
import Koa2 from "koa2";
import { describe, expect, onTestFinished, test } from "vitest";
import { tellsAddress } from "../../contracts/test/mounted.ts";
import { listen } from "../test/subject.ts";
import { oauth } from "./index.ts";

/** What the client wrote, and behind it what the proxy has added. */
const FORWARDED = "198.51.100.1, 203.0.113.7";

/** What the server is told. */
async function ask(app: Pick<Koa, "callback">, path = "/where"): Promise<string> {
  const { port, close } = await listen(app);
  onTestFinished(close);
  const headers = { "x-forwarded-for": FORWARDED, "x-real-ip": "192.0.2.2" };
  return (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).text();
}

describe.each([
  ["Koa 3", Koa],
  ["Koa 2", Koa2],
])("%s", (_, App) => {
  test.each([
    [{}, "127.0.0.1"],
    [{ maxIpsCount: 1, proxyIpHeader: "X-Real-IP" }, "127.0.0.1"],
    [{ proxy: true, maxIpsCount: 1 }, "203.0.113.7"],
    [{ proxy: true, proxyIpHeader: "X-Real-IP" }, "192.0.2.2"],
    // Koa itself takes the entry that the client wrote.
    [{ proxy: true }, "198.51.100.1"],
  ])("the app's own settings of trust decide: %j", async (settings, expected) => {
    expect(await ask(new App(settings).use(oauth(tellsAddress)))).toBe(expected);
  });

  test("under koa-mount the settings of the outer app count", async () => {
    const inner = new App().use(oauth(tellsAddress));
    expect(await ask(new App({ proxy: true, maxIpsCount: 1 }).use(mount("/", inner)))).toBe("203.0.113.7");
  });

  test("the option clientAddress overrules them", async () => {
    const app = () => new App({ proxy: true });
    expect(await ask(app().use(oauth(tellsAddress, { clientAddress: () => "192.0.2.1" })))).toBe("192.0.2.1");
    expect(await ask(app().use(oauth(tellsAddress, { clientAddress: () => undefined })))).toBe("unknown");
  });

  test("nobody looks for the address of a request that is none of the server's", async () => {
    let looked = 0;
    const app = new App();
    Object.defineProperty(app.request, "ip", {
      get() {
        looked += 1;
        return "192.0.2.3";
      },
    });
    app.use(oauth(tellsAddress)).use((ctx) => {
      ctx.body = "the app";
    });
    expect([await ask(app, "/login"), looked]).toEqual(["the app", 0]);
    expect([await ask(app), looked]).toEqual(["192.0.2.3", 1]);
  });
});
