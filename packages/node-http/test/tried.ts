/** What the adapter is for. */
import type { Tried } from "../../contracts/test/tried.ts";
import { nodeHttp } from "./subject.ts";

export const tried: readonly Tried[] = [{ framework: "Node.js", subject: nodeHttp }];
