/** Clauses about bodies: verbatim, or with the same meaning where a parser was first; and never more of them than is wanted. RFC 6749 appendix B. */

import type { MountedServer } from "./adapter-subject.ts";
import { clause, type Site, type Stage, shown } from "./stage.ts";
import { standIn } from "./stand-in.ts";
import { formatRequest } from "./wire.ts";

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

/** What an endpoint read: a text, or the fact that it was kept from reading. */
type Read = { readonly text: string } | { readonly refused: true };

/** An endpoint that reads its body, as far as one can. */
function reader(reads: Read[]): MountedServer {
  return standIn({
    async handle(request, options) {
      const Answer = options?.Response ?? Response;
      try {
        reads.push({ text: await request.text() });
        return new Answer("read", { status: 200, headers: [] });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        reads.push({ refused: true });
        return new Answer("refused", { status: 400, headers: [] });
      }
    },
  });
}

/** What the endpoint reads of a body. A parser in front that refuses it by itself refuses as well. */
async function readOf(site: Site, reads: Read[], type: string, body: string): Promise<Read> {
  reads.length = 0;
  const { status } = await site.ask({
    method: "POST",
    target: "/oauth/token",
    headers: [["Content-Type", type]],
    body,
  });
  return (
    reads[0] ?? (status >= 400 && status < 500 ? { refused: true } : { text: `(an answer ${status} of somebody else)` })
  );
}

/** Holds that each body arrives, character by character. */
async function verbatim(stage: Stage, type: string, bodies: readonly string[]): Promise<void> {
  const reads: Read[] = [];
  const site = await stage.serve({ auth: reader(reads) });
  for (const body of bodies)
    stage.same(await readOf(site, reads, type, body), { text: body }, `what was read of ${shown(body)}`);
}

/** The parameters of a form, each as often as it is given. */
function pairsOf(read: Read): unknown {
  return "text" in read ? [...new URLSearchParams(read.text)] : read;
}

/** Forms that every parser understands alike. */
const PLAIN_FORMS = [
  "grant_type=authorization_code&code=a%2Bb%25%26c&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb%3Fa%3Db%26c",
  "spaces=a+b%20c&plus=a%2Bb&empty=&name=%C3%A9%F0%9F%98%80%E2%82%AC&last=%0D%0A%09",
  "to%5FString=b&0=c",
  "resource=https%3A%2F%2Fa.example%2F&resource=https%3A%2F%2Fb.example%2F&client_id=x",
  "",
];

/** Values of `code` in forms in which it stands more than once, and what parsers make of them. */
const REPEATED_FORMS = [
  "code=1&code=2",
  "code=1&client_id=x&code=1",
  "code=1&code=",
  Array.from({ length: 25 }, (_, index) => `code=${index}`).join("&"),
  "code=1&code[]=2",
  "code[a]=1&code=2",
  "code=1&code[0]=2",
];

/** Forms without any `code`, which brackets could make one of. */
const BRACKETED_FORMS = ["code[]=1", "code[0]=1", "code[a]=1", "x[code]=1"];

const METADATA = {
  client_name: 'é😀 "quoted" \\ / <b>',
  redirect_uris: ["https://a.example/cb?x=1&x=2", "http://127.0.0.1:9/cb"],
  nested: { list: [1, 2.5, true, null], empty: {}, text: "" },
};

export const bodies = [
  clause({
    id: "form-verbatim",
    sentence: "RFC 6749 appendix B: a form arrives character by character, broken and repeated parts included",
    play: (stage) =>
      verbatim(stage, FORM, [
        ...PLAIN_FORMS,
        ...REPEATED_FORMS,
        ...BRACKETED_FORMS,
        "a=1;b=2&&c&=d&%zz=%&e=%ff&f=é",
        "x".repeat(60_000),
      ]),
  }),
  clause({
    id: "json-verbatim",
    sentence: "a JSON body arrives character by character, with its spaces, its repetitions and its mistakes",
    play: (stage) =>
      verbatim(stage, JSON_TYPE, [JSON.stringify(METADATA, null, 3), '{"a":1,"a":2}', '{"a":', "[1e400]", '"text"']),
  }),
  clause({
    id: "form-after-parser",
    sentence: "a form that a parser has consumed arrives with the same parameters",
    async play(stage) {
      const reads: Read[] = [];
      const site = await stage.serve({ auth: reader(reads), parsers: "before" });
      for (const type of [FORM, `${FORM};charset=UTF-8`, `${FORM.toUpperCase()} ; charset="utf-8"`])
        for (const form of PLAIN_FORMS) {
          const read = await readOf(site, reads, type, form);
          // An object has its own order for names that are numbers; no endpoint asks for an order between names.
          const [seen, sent] = [pairsOf(read), pairsOf({ text: form })].map((pairs) =>
            Array.isArray(pairs) ? [...pairs].sort() : pairs,
          );
          stage.same(seen, sent, `the parameters of ${shown(form)} as ${type}`);
        }
    },
  }),
  clause({
    id: "form-repeated-after-parser",
    sentence: "RFC 6749 §3.1: a parameter that was repeated stays repeated behind a parser, or can't be read at all",
    async play(stage) {
      const reads: Read[] = [];
      const site = await stage.serve({ auth: reader(reads), parsers: "before" });
      const codesOf = async (form: string): Promise<number | undefined> => {
        const read = await readOf(site, reads, FORM, form);
        return "text" in read ? new URLSearchParams(read.text).getAll("code").length : undefined;
      };
      for (const form of REPEATED_FORMS) {
        const sent = new URLSearchParams(form).getAll("code").length;
        const seen = await codesOf(form);
        // Of one `code` and a name that only begins like it, one is right as well as a refusal. Of several, one or none is wrong.
        stage.hold(
          seen === undefined || (sent > 1 ? seen > 1 : seen >= 1),
          `${seen} of ${sent} values in ${shown(form)}`,
        );
      }
      for (const form of BRACKETED_FORMS)
        stage.hold(((await codesOf(form)) ?? 0) === 0, `a parameter code was made of ${shown(form)}`);
    },
  }),
  clause({
    id: "json-after-parser",
    sentence: "a JSON body that a parser has consumed arrives with the same value",
    async play(stage) {
      const reads: Read[] = [];
      const site = await stage.serve({ auth: reader(reads), parsers: "before" });
      for (const text of [JSON.stringify(METADATA, null, 3), "{}", '[{"a":[]}]', '{"__proto__":{"a":1}}']) {
        const read = await readOf(site, reads, JSON_TYPE, text);
        const refusedKey = text.includes("__proto__") && "refused" in read;
        if (!refusedKey)
          stage.same("text" in read ? JSON.parse(read.text) : read, JSON.parse(text), `the value of ${shown(text)}`);
      }
    },
  }),
  clause({
    id: "body-none-after-parser",
    sentence: "a body that was not there is empty, and is not made up by a parser",
    async play(stage) {
      const reads: Read[] = [];
      const site = await stage.serve({ auth: reader(reads), parsers: "before" });
      for (const headers of [
        [],
        [["Content-Type", FORM]],
        [
          ["Content-Length", "0"],
          ["Content-Type", FORM],
        ],
      ] as const) {
        reads.length = 0;
        await site.ask({ method: "POST", target: "/oauth/token", headers });
        stage.same(reads, [{ text: "" }], `what was read with ${shown(headers)}`);
      }
    },
  }),
  clause({
    id: "body-cap",
    sentence: "a body of 10 MB is refused before it has been sent, and nobody has buffered it",
    async play(stage) {
      const cap = 64 * 1024;
      const auth = standIn({
        async handle(request, options) {
          const stream = request.body?.getReader();
          let size = 0;
          for (;;) {
            const piece = await stream?.read();
            if (piece === undefined || piece.done)
              return new (options?.Response ?? Response)("all of it", { status: 200, headers: [] });
            size += piece.value.byteLength;
            if (size > cap) break;
          }
          await stream?.cancel();
          return new (options?.Response ?? Response)("too large", { status: 413, headers: [] });
        },
      });
      const site = await stage.serve({ auth });
      // No length is announced, and most of it is never sent: an answer comes from who does not wait for all.
      const headers = [
        ["Content-Type", FORM],
        ["Transfer-Encoding", "chunked"],
      ] as const;
      const wire = stage.connect(site.port).send(formatRequest({ method: "POST", target: "/oauth/token", headers }));
      const chunk = `${(16 * 1024).toString(16)}\r\n${"x".repeat(16 * 1024)}\r\n`;
      for (let sent = 0; sent < 10; sent += 1) wire.send(chunk);
      const answer = await stage.within(wire.answer(), "no answer to the first 160 KiB of a body that may have 64");
      stage.same(answer?.status, 413, "the answer");
    },
  }),
];
