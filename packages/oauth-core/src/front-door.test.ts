import { expect, test } from "vitest";
import { FrontDoor } from "./front-door.ts";
import { Guard } from "./guard.ts";
import { Origins } from "./transport/cors.ts";
import { json } from "./transport/reply.ts";
import { Router } from "./transport/router.ts";

const nobody = () => Promise.reject(new Error("nobody is let in here"));

const guard = new Guard({
  bearers: { verify: nobody, grantOf: nobody },
  resources: [],
  baseline: [],
  hierarchy: {},
  origins: new Origins([]),
  observe: () => undefined,
});

/** A door with one endpoint, which answers with the address that it was told. */
const door = new FrontDoor(
  new Router([
    {
      path: "/oauth/sign-in",
      methods: { POST: (_, clientAddress = "nobody knows") => json(200, clientAddress) },
      cors: false,
    },
  ]),
  guard,
);

const FORGED = {
  "x-forwarded-for": "203.0.113.7",
  "x-real-ip": "203.0.113.7",
  forwarded: "for=203.0.113.7",
  "cf-connecting-ip": "203.0.113.7",
};

test.each([
  [{ clientAddress: "192.0.2.1" }, "192.0.2.1"],
  [{ clientAddress: undefined }, "nobody knows"],
  [{ clientAddress: "" }, "nobody knows"],
  [{}, "nobody knows"],
])("with %j the address is what the adapter says, and never what a header says: %s", async (options, told) => {
  const request = new Request("https://a.example/oauth/sign-in", { method: "POST", headers: FORGED });
  const answer = await door.handle(request, options);
  expect(await answer?.json()).toBe(told);
});
