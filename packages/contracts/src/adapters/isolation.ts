/** Clauses about requests that meet: nobody ever gets what is another's. */

import type { AppRoute } from "./adapter-subject.ts";
import { clause } from "./stage.ts";
import { accessOf, standIn, tokenOf } from "./stand-in.ts";

/** Requests that are in the server at once. */
const CROWD = 100;
const PEOPLE = Array.from({ length: CROWD }, (_, index) => `person${index}`);

/** Lets nobody pass before all have come, and then all in one turn, the last first: what they share each of them has overwritten by then. */
function barrier(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === CROWD) for (const pass of waiting.reverse()) pass();
    });
}

export const isolation = [
  clause({
    id: "access-never-mixed",
    sentence: "of 100 overlapping requests each one's handler sees its own access, before and after it has waited",
    async play(stage) {
      const [atGuard, atHandler] = [barrier(), barrier()];
      const known = standIn();
      const auth = standIn({
        async protect(request, requirement, options) {
          await atGuard();
          return known.protect(request, requirement, options);
        },
      });
      const answer: AppRoute["answer"] = async (asked) => {
        const [first, body] = [asked.access?.subject, await asked.body()];
        await atHandler();
        return { body: JSON.stringify([first, asked.access?.subject, asked.access?.token, body]) };
      };
      const site = await stage.serve({ auth, routes: [{ path: "/mcp", requirement: {}, answer }] });
      const answers = await Promise.all(
        PEOPLE.map((person) => {
          const headers = [
            ["Authorization", `Bearer ${tokenOf(person)}`],
            ["Content-Type", "text/plain"],
          ] as const;
          return site.ask({ method: "POST", target: "/mcp", headers, body: `of ${person}` });
        }),
      );
      for (const [index, person] of PEOPLE.entries()) {
        const expected = JSON.stringify([person, person, accessOf(person).token, `of ${person}`]);
        stage.same(answers[index]?.body, expected, `what ${person} was told`);
      }
    },
  }),
  clause({
    id: "forms-never-mixed",
    sentence: "of 100 overlapping forms, consumed by a parser or not, each one is answered with its own",
    async play(stage) {
      for (const parsers of [undefined, "before"] as const) {
        const together = barrier();
        const auth = standIn({
          async handle(request, options) {
            await together();
            const code = new URLSearchParams(await request.text()).get("code");
            const headers: [string, string][] = [["set-cookie", `code=${code}`]];
            return new (options?.Response ?? Response)(`${code} for ${request.headers.get("x-person")}`, {
              status: 200,
              headers,
            });
          },
        });
        const site = await stage.serve({ auth, parsers });
        const answers = await Promise.all(
          PEOPLE.map((person) => {
            const headers = [
              ["Content-Type", "application/x-www-form-urlencoded"],
              ["X-Person", person],
            ] as const;
            return site.ask({ method: "POST", target: "/oauth/token", headers, body: `a=b&code=${person}` });
          }),
        );
        for (const [index, person] of PEOPLE.entries())
          stage.same(answers[index]?.body, `${person} for ${person}`, `what ${person} was told`);
      }
    },
  }),
];
