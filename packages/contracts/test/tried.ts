/** What an adapter is tried with: its tests run this table, and the README's table of capabilities is written from it. */
import type { AdapterSubject, Waivers } from "../src/adapters.ts";

/** One version of a framework, with the adapter in it. */
export interface Tried {
  /** As people call it. */
  readonly framework: string;
  /** Under which name it is installed beside the adapter. Default: it is part of Node.js. */
  readonly module?: string | undefined;
  /** What is special about it, where it is tried more than once. */
  readonly remark?: string | undefined;
  readonly subject: AdapterSubject;
  /** Clauses of the contract that can't be kept there, with their reasons. Default: none. */
  readonly waivers?: Waivers | undefined;
}

/** Where the state is, in one journey after the other. */
export const STORAGES = ["memory", "disk", "redis"] as const;

/** What one entry is called. */
export function nameOf({ framework, module = framework, remark }: Tried): string {
  return remark === undefined ? module : `${module}, ${remark}`;
}
