/** Where the browser brings the answer, and what else comes there. */
import { expect, onTestFinished, test } from "vitest";
import { CallbackListener } from "./callback-listener.ts";

async function listening() {
  const listener = await CallbackListener.start();
  onTestFinished(() => listener.close());
  const never = new AbortController().signal;
  return { listener, never, bring: async (query: string) => (await fetch(`${listener.url}${query}`)).status };
}

test("RFC 6749 §10.12: what has another state is refused, and what was asked for is still awaited", async () => {
  const { listener, never, bring } = await listening();
  const answer = listener.answerTo("ours", never);

  expect(await bring("?code=a&state=theirs")).toBe(400);
  expect(await bring("?code=b")).toBe(400);
  expect(await bring("?code=c&state=ours")).toBe(200);
  expect((await answer).search).toBe("?code=c&state=ours");
});

test("an answer is taken once, and nothing is taken that nobody waits for", async () => {
  const { listener, never, bring } = await listening();
  expect(await bring("?code=early&state=ours")).toBe(400);
  const answer = listener.answerTo("ours", never);
  await bring("?code=first&state=ours");

  expect(await bring("?code=second&state=ours")).toBe(400);
  expect((await answer).searchParams.get("code")).toBe("first");
});

test("it is at no other path, and takes no other method", async () => {
  const { listener, never, bring } = await listening();
  const stop = new AbortController();
  const answer = listener.answerTo("ours", AbortSignal.any([never, stop.signal]));

  expect(await bring("/more?code=a&state=ours")).toBe(404);
  expect((await fetch(`${listener.url}?code=a&state=ours`, { method: "POST" })).status).toBe(404);
  stop.abort();
  await expect(answer).rejects.toThrow("aborted");
});
