/** What everybody else notices of it when many people sign in: how long a guard check takes, with its wait for the event loop. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PEOPLE } from "./accounts-server.ts";
import { type SignInPost, Visitor } from "./accounts-visitor.ts";
import { Connection } from "./connection.ts";
import type { Result } from "./report.ts";

/** Guard checks of one turn, and how many milliseconds one comes after another. They come whether or not those before have been answered, so that every wait is counted. */
const CHECKS = 1000;
const EVERY = 2;
/** Rounds that are not counted: a server runs for longer than it takes to compile some hundred sign-ins. */
const WARM_UP = 4;
/** Checks that can be under way at once. */
const CHECKING = 256;

/**
 * Measures the 99th percentile, over real connections to a server in a process of its own: a check within the server's process could not be late, as
 * nothing of it waits for the event loop. The crowd is there when the first of it has signed in, so that all of them are under way.
 */
export async function benchGuardAmongSignIns(rounds: number): Promise<readonly Result[]> {
  const program = fork(fileURLToPath(new URL("accounts-server.ts", import.meta.url)));
  const [port] = await once(program, "message");
  const baseUrl = `http://127.0.0.1:${port}`;
  const visitors = Array.from({ length: PEOPLE }, (_, index) => new Visitor({ baseUrl, fetch }, index + 1));
  const token = (await visitors[0]?.signIn()) ?? "";
  const posts: string[] = [];
  for (const visitor of visitors) posts.push(asText(await visitor.signInPost()));
  const people = await Promise.all(posts.map(() => Connection.open(Number(port))));
  const checking = await Promise.all(Array.from({ length: CHECKING }, () => Connection.open(Number(port))));

  const [idle, busy]: [number[], number[]] = [[], []];
  for (let round = -WARM_UP; round < rounds; round += 1) {
    const alone = await checks(checking, token);
    let isOver = false;
    let begun = (): void => undefined;
    const first = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const again = () => {
      begun();
      return !isOver;
    };
    const crowd = people.map((person, index) => person.askWhile(again, posts[index] ?? "", 303));
    await first;
    const among = await checks(checking, token);
    isOver = true;
    await Promise.all(crowd);
    if (round < 0) continue;
    idle.push(percentile(alone, 0.99));
    busy.push(percentile(among, 0.99));
  }
  for (const connection of [...people, ...checking]) connection.close();
  program.kill();
  await once(program, "exit");
  return [
    { what: "guard check, p99 while nobody signs in", values: idle.map((time) => time * 1000), unit: "µs" },
    {
      what: `guard check, p99 while ${PEOPLE} sign in, over that`,
      values: busy.map((time, round) => time / (idle[round] ?? Number.NaN)),
      unit: "×",
      target: 3,
    },
  ];
}

/** How many milliseconds each took. */
async function checks(connections: readonly Connection[], token: string): Promise<readonly number[]> {
  const request = `GET /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n\r\n`;
  const took: Promise<number>[] = [];
  for (let count = 0; count < CHECKS; count += 1) {
    const connection = connections[count % connections.length];
    if (connection !== undefined) took.push(connection.ask(request, 200));
    await pause(EVERY);
  }
  return Promise.all(took);
}

/** The value that so large a part of all values is not above. */
function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
}

function asText({ url, headers, body }: SignInPost): string {
  const { pathname, host } = new URL(url);
  const lines = Object.entries({ ...headers, host, "content-length": `${Buffer.byteLength(body)}` });
  return `POST ${pathname} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
