/** The HTTP server before it serves, and at its end. */
import { expect, onTestFinished, test } from "vitest";
import { EnvironmentError } from "./configuration.ts";
import { HttpServer } from "./http-server.ts";

const PLACE = { port: 0, host: "127.0.0.1", baseUrl: undefined };

test("RFC 9110 §15.6.4: who comes before there is something to serve is told to come again", async () => {
  const server = await HttpServer.listen(PLACE);
  onTestFinished(() => server.close());
  const { status, headers } = await fetch(server.baseUrl);
  expect([status, headers.get("retry-after")]).toEqual([503, "1"]);

  server.serve((_req, res) => res.end("served"));
  expect(await (await fetch(server.baseUrl)).text()).toBe("served");
});

test("its URL is the public one, and else the one where it listens", async () => {
  const here = await HttpServer.listen(PLACE);
  onTestFinished(() => here.close());
  const elsewhere = await HttpServer.listen({ ...PLACE, baseUrl: "https://mcp.example.com" });
  onTestFinished(() => elsewhere.close());

  expect(here.baseUrl).toBe(`http://127.0.0.1:${here.port}`);
  expect(elsewhere.baseUrl).toBe("https://mcp.example.com");
});

test("a port that is taken is told of by the variable's name", async () => {
  const first = await HttpServer.listen(PLACE);
  onTestFinished(() => first.close());

  await expect(HttpServer.listen({ ...PLACE, port: first.port })).rejects.toThrow(
    new EnvironmentError(["PORT: is in use already"]),
  );
});
