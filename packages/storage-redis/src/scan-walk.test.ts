import { expect, test } from "vitest";
import type { Command } from "./redis-connection.ts";
import { type Server, scanPage } from "./scan-walk.ts";

/** A server that answers `SCAN` from a list of replies: each is the keys of one command. */
function serverWith(
  replies: readonly (readonly string[])[],
  facts: { run?: string; id?: string; slots?: readonly unknown[] } = {},
): Server & { readonly asked: Command[] } {
  const asked: Command[] = [];
  const answer = async (command: Command): Promise<unknown> => {
    asked.push(command);
    const [name, first] = command;
    if (name === "info") return `# Server\r\nrun_id:${facts.run ?? "run1"}\r\n`;
    if (name === "cluster") return first === "myid" ? (facts.id ?? "node1") : (facts.slots ?? []);
    const position = Number(first);
    return [String((position + 1) % replies.length), replies[position]];
  };
  return Object.assign(answer, { asked });
}

const page = (server: Server, request: { prefix?: string; cursor?: string; limit?: number } = {}) =>
  scanPage([server], false, { prefix: "", cursor: undefined, limit: 1000, ...request });

test("a key that Redis names twice within a page is on it once", async () => {
  expect(await page(serverWith([["a", "b"], ["b", "c"], ["a"]]))).toEqual({ keys: ["a", "b", "c"] });
});

test("what a glob matches and the prefix does not is left out, and its characters are sent as themselves", async () => {
  const server = serverWith([["a*b:1", "aXb:1"]]);
  expect(await page(server, { prefix: "a*b:" })).toEqual({ keys: ["a*b:1"] });
  expect(server.asked.at(-1)).toEqual(["scan", "0", "MATCH", "a\\*b:*", "COUNT", "1000"]);
  await page(server, { prefix: "[\\?]^-", limit: 3 });
  expect(server.asked.at(-1)).toEqual(["scan", "0", "MATCH", "\\[\\\\\\?\\]^-*", "COUNT", "10"]);
});

test("a page ends after a hundred commands, with or without keys, and the next one goes on", async () => {
  const server = serverWith([...Array<string[]>(150).fill([]), ["a"]]);
  const first = await page(server);
  expect(first.keys).toEqual([]);
  expect(server.asked.filter(([name]) => name === "scan")).toHaveLength(100);
  expect(await page(server, { cursor: first.cursor ?? "" })).toEqual({ keys: ["a"] });
});

test("a walk over a server that was started again meanwhile is refused", async () => {
  const { cursor = "" } = await page(serverWith([["a"], ["b"]], { run: "run1" }), { limit: 1 });
  await expect(page(serverWith([["a"], ["b"]], { run: "run2" }), { cursor })).rejects.toMatchObject({
    reason: "changed",
  });
});

test.each(["", "1", "0:0:0", "nonsense:0", "a:b:c", "a:0:99999999999999999999999"])(
  "the cursor %j, which no page named, is refused",
  async (cursor) => {
    const outcome = page(serverWith([["a"]]), { cursor });
    await expect(outcome).rejects.toThrow(/cursor: has to be one|have changed/);
  },
);

test("every master is walked, and a walk over slots that were moved meanwhile is refused", async () => {
  const slots = (first: string) => [
    [0, 8191, ["127.0.0.1", 1, first], ["127.0.0.1", 3, "a replica"]],
    [8192, 16383, ["127.0.0.1", 2, "node2"]],
  ];
  const masters = (first: string) => [
    serverWith([["b"]], { id: "node2", run: "run2", slots: slots(first) }),
    serverWith([["a"]], { id: "node1", run: "run1", slots: slots(first) }),
  ];
  const request = { prefix: "", cursor: undefined, limit: 1 };
  const first = await scanPage(masters("node1"), true, request);
  const cursor = first.cursor ?? "";
  expect(first.keys).toEqual(["a"]);
  // The client may name them in another order the next time.
  expect(await scanPage(masters("node1").reverse(), true, { ...request, cursor })).toEqual({ keys: ["b"] });
  await expect(scanPage(masters("node2"), true, { ...request, cursor })).rejects.toMatchObject({ reason: "changed" });
});

test("a master that the client does not know makes the walk reject, because its keys would be missing", async () => {
  const slots = [
    [0, 8191, ["127.0.0.1", 1, "node1"]],
    [8192, 16383, ["127.0.0.1", 2, "node2"]],
  ];
  const outcome = scanPage([serverWith([["a"]], { slots })], true, { prefix: "", cursor: undefined, limit: 10 });
  await expect(outcome).rejects.toMatchObject({ reason: "unreachable" });
});
