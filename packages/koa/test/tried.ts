/** The newest and the oldest Koa of each major version that the adapter is for. */
import Koa from "koa";
import Koa2 from "koa2";
import OldestKoa2 from "koa2-oldest";
import OldestKoa3 from "koa3-oldest";
import type { Tried } from "../../contracts/test/tried.ts";
import { koaSubject } from "./subject.ts";

const framework = "Koa";

export const tried: readonly Tried[] = [
  { framework, module: "koa", subject: koaSubject(Koa) },
  { framework, module: "koa2", subject: koaSubject(Koa2) },
  { framework, module: "koa3-oldest", subject: koaSubject(OldestKoa3) },
  { framework, module: "koa2-oldest", subject: koaSubject(OldestKoa2) },
];
