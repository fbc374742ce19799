/** Where a clause about adapters is played: servers that are closed afterwards, connections of its own, and words for what was seen. */

import { type Clause, ContractViolation } from "../clause.ts";
import type { AdapterApp, AdapterServer, AdapterSubject } from "./adapter-subject.ts";
import { standIn } from "./stand-in.ts";
import { formatRequest, type RawAnswer, type RawRequest, Wire } from "./wire.ts";

/** A clause as it is written in this folder. */
export interface AdapterClause {
  readonly id: string;
  readonly sentence: string;
  /** Default false: most of what an adapter owes has no exception. */
  readonly waivable?: boolean;
  play(stage: Stage): Promise<void>;
}

/** Makes a clause that anybody can check out of one that is played on a stage. */
export function clause({ play, waivable = false, ...facts }: AdapterClause): Clause<AdapterSubject> {
  return {
    ...facts,
    waivable,
    async check(subject) {
      const stage = new Stage(subject, facts);
      try {
        await play(stage);
      } catch (error) {
        if (error instanceof ContractViolation) throw error;
        throw new ContractViolation(facts, `an error that nothing here calls for: ${String(error)}`, { cause: error });
      } finally {
        await stage.strike();
      }
    },
  };
}

/** One performance of one clause. */
export class Stage {
  readonly #subject: AdapterSubject;
  readonly #clause: Pick<Clause, "id" | "sentence">;
  readonly #servers: AdapterServer[] = [];
  readonly #wires: Wire[] = [];

  constructor(subject: AdapterSubject, facts: Pick<Clause, "id" | "sentence">) {
    this.#subject = subject;
    this.#clause = facts;
  }

  /** Starts a server; what is left out is a stand-in without endpoints, no routes, and everything at the root. */
  async serve(app: Partial<AdapterApp> = {}): Promise<Site> {
    const reported: unknown[] = [];
    const server = await this.#subject.serve({
      auth: standIn(),
      routes: [],
      onError: (error) => reported.push(error),
      ...app,
    });
    this.#servers.push(server);
    return new Site(this, server.port, reported);
  }

  connect(port: number, from?: string): Wire {
    const wire = new Wire(port, from);
    this.#wires.push(wire);
    return wire;
  }

  /** What `promise` gives, or the end of the clause where it does not come. */
  async within<Result>(promise: Promise<Result>, what: string): Promise<Result> {
    const { patience = 10 } = this.#subject;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new ContractViolation(this.#clause, `${what}, not within ${patience} seconds`));
      }, patience * 1000);
    });
    try {
      return await Promise.race([promise, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the performance: the clause is broken. */
  violated(seen: string): never {
    throw new ContractViolation(this.#clause, seen);
  }

  /** Holds that something is so; `seen` tells what was instead. */
  hold(isSo: boolean, seen: string): void {
    if (!isSo) this.violated(seen);
  }

  /** Holds that two values are the same. */
  same(seen: unknown, expected: unknown, what: string): void {
    if (JSON.stringify(seen) !== JSON.stringify(expected))
      this.violated(`${what} was ${shown(seen)} instead of ${shown(expected)}`);
  }

  async strike(): Promise<void> {
    for (const wire of this.#wires) wire.cut();
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

/** A server that runs, and how it is talked to. */
export class Site {
  readonly port: number;
  /** What `onError` was told. */
  readonly reported: readonly unknown[];
  readonly #stage: Stage;

  constructor(stage: Stage, port: number, reported: readonly unknown[]) {
    this.#stage = stage;
    this.port = port;
    this.reported = reported;
  }

  /** Sends a request and leaves the connection open. */
  open(request: RawRequest): Wire {
    return this.#stage.connect(this.port, request.from).send(formatRequest(request));
  }

  /** The answer to a request; none at all ends the clause. */
  async ask(request: RawRequest): Promise<RawAnswer> {
    return (await this.tryToAsk(request)) ?? this.#stage.violated(`no answer to ${nameOf(request)}`);
  }

  /** The answer to a request, or `undefined` where the connection was ended without one. */
  async tryToAsk(request: RawRequest): Promise<RawAnswer | undefined> {
    return this.#stage.within(this.open(request).answer(), `the answer to ${nameOf(request)} was not whole`);
  }
}

/** A request in few words. */
export function nameOf({ method = "GET", target }: RawRequest): string {
  return `${method} ${target.slice(0, 80)}`;
}

/** A value in few words. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}
