import express, { type Express } from "express";
import express4 from "express4";
import { describe, expect, test } from "vitest";
import { tellsAddress } from "../../contracts/test/mounted.ts";
import { serve } from "../../node-http/test/loopback.ts";
import { oauth } from "./index.ts";

/** What the client wrote, and behind it what the proxy has added. */
const FORWARDED = "198.51.100.1, 203.0.113.7";

/** What the server is told. */
async function ask(app: Express, path = "/where"): Promise<string> {
  const port = await serve(app);
  return (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { "x-forwarded-for": FORWARDED } })).text();
}

describe.each([
  ["Express 5", express],
  ["Express 4", express4],
])("%s", (_, create) => {
  test.each([
    ["not set", undefined, "127.0.0.1"],
    ["no", false, "127.0.0.1"],
    ["one hop", 1, "203.0.113.7"],
    ["the proxy's network", "loopback", "203.0.113.7"],
    ["another network", "10.0.0.0/8", "127.0.0.1"],
    ["a function that trusts nobody", () => false, "127.0.0.1"],
    ["everybody", true, "198.51.100.1"],
  ])("`trust proxy` decides: %s", async (_name, trust, expected) => {
    const app = create();
    if (trust !== undefined) app.set("trust proxy", trust);
    expect(await ask(app.use(oauth(tellsAddress)))).toBe(expected);
  });

  test("the setting of the app counts in its routers", async () => {
    const app = create().set("trust proxy", 1);
    expect(await ask(app.use("/", create.Router().use(oauth(tellsAddress))))).toBe("203.0.113.7");
  });

  test("the option clientAddress overrules it", async () => {
    const app = create().set("trust proxy", 1);
    expect(await ask(app.use(oauth(tellsAddress, { clientAddress: () => "192.0.2.1" })))).toBe("192.0.2.1");
    expect(await ask(create().use(oauth(tellsAddress, { clientAddress: () => undefined })))).toBe("unknown");
  });

  test("nobody looks for the address of a request that is none of the server's", async () => {
    let looked = 0;
    const app = create();
    app.set("trust proxy", () => {
      looked += 1;
      return false;
    });
    app.use(oauth(tellsAddress));
    app.get("/login", (_req, res) => res.send("the app"));
    expect([await ask(app, "/login"), looked]).toEqual(["the app", 0]);
    expect([await ask(app), looked]).toEqual(["127.0.0.1", 1]);
  });
});
