import { describe, expect, test } from "vitest";
import { OAuthProxyError } from "../protocol/errors.ts";
import { LARGEST_BODY, readForm, readJson } from "./body.ts";

const FORM = "application/x-www-form-urlencoded";

/** A request whose body comes in pieces, without an announced length. */
function request(type: string, ...pieces: readonly (string | Uint8Array)[]): Request {
  const bytes = pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece));
  const body = new ReadableStream({
    pull(controller) {
      const next = bytes.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(new Uint8Array(next));
    },
  });
  return new Request("https://a.example/", { method: "POST", headers: { "content-type": type }, body, duplex: "half" });
}

async function reasonOf(reading: Promise<unknown>): Promise<string> {
  try {
    return `read: ${JSON.stringify(await reading)}`;
  } catch (error) {
    if (error instanceof OAuthProxyError) return error.reason;
    throw error;
  }
}

describe("size", () => {
  test("64 KiB are read, one byte more is not, however it arrives", async () => {
    const fits = `"${"a".repeat(LARGEST_BODY - 2)}"`;
    expect(await readJson(request("application/json", fits.slice(0, 9), fits.slice(9)))).toHaveLength(LARGEST_BODY - 2);
    expect(await reasonOf(readJson(request("application/json", fits, " ")))).toBe("body_too_large");
  });

  test("a body that announces more than that is not begun", async () => {
    const untouched = request(FORM, "a=b");
    untouched.headers.set("content-length", String(LARGEST_BODY + 1));
    expect(await reasonOf(readForm(untouched))).toBe("body_too_large");
    expect(untouched.bodyUsed).toBe(false);
  });

  test("of an endless body no more is taken than it needs to see that it is endless", async () => {
    let taken = 0;
    const body = new ReadableStream({
      pull(controller) {
        taken++;
        controller.enqueue(new Uint8Array(16 * 1024));
      },
    });
    const headers = { "content-type": FORM, "content-length": "3" };
    const endless = new Request("https://a.example/", { method: "POST", headers, body, duplex: "half" });
    expect(await reasonOf(readForm(endless))).toBe("body_too_large");
    expect(taken).toBeLessThan(10);
  });

  test("a body that breaks off is refused, and nothing else happens", async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("connection reset")) });
    const headers = { "content-type": FORM };
    const broken = new Request("https://a.example/", { method: "POST", headers, body, duplex: "half" });
    expect(await reasonOf(readForm(broken))).toBe("malformed_body");
  });
});

describe("type", () => {
  test.each([FORM, FORM.toUpperCase(), `${FORM};charset=utf-8`, `${FORM} ; charset=ISO-8859-1`])(
    "%s is a form",
    async (type) => {
      expect((await readForm(request(type, "a=%C3%A9"))).get("a")).toBe("é");
    },
  );

  test.each(["", "text/plain", "application/json", "multipart/form-data", `${FORM}x`, `x, ${FORM}`])(
    "%j is no form",
    async (type) => {
      expect(await reasonOf(readForm(request(type, "a=b")))).toBe("content_type");
    },
  );

  test("a request without a type or a body", async () => {
    const bare = new Request("https://a.example/", { method: "POST" });
    expect(await reasonOf(readForm(bare))).toBe("content_type");
    bare.headers.set("content-type", FORM);
    expect((await readForm(bare)).get("a")).toBeUndefined();
  });
});

describe("contents", () => {
  test.each([
    ["bytes that are not UTF-8", [Buffer.from([0xff, 0xfe])], "malformed_body"],
    ["a character cut in half", [Buffer.from("é").subarray(0, 1)], "malformed_body"],
    ["nothing", [], "malformed_body"],
    ["no JSON", ["{'a':1}"], "malformed_body"],
    ["a byte order mark", ["\ufeff{}"], "malformed_body"],
    ["9 levels", ["[".repeat(9) + "]".repeat(9)], "malformed_body"],
    ["8 levels", ["[".repeat(8) + "]".repeat(8)], "read: [[[[[[[[]]]]]]]]"],
    ["brackets in text", [`"${'\\"[{'.repeat(20)}"`], `read: ${JSON.stringify('"[{'.repeat(20))}`],
    [
      "a character that arrives in two pieces",
      [Buffer.from('"é"').subarray(0, 2), Buffer.from('"é"').subarray(2)],
      'read: "é"',
    ],
  ])("JSON: %s", async (_, pieces, outcome) => {
    expect(await reasonOf(readJson(request("application/json", ...pieces)))).toBe(outcome);
  });

  test("no error carries what was sent, not even for the operator", async () => {
    const error = await readJson(request("application/json", "sp_cp_secret")).catch((thrown: unknown) => thrown);
    const { message, cause } = error as Error;
    expect(`${message} ${cause instanceof Error ? cause.message : ""}`).not.toContain("secret");
  });
});
