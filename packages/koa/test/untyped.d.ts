/** Modules without types of their own. */

// Other versions of Koa, installed beside the newest: the types are the same.
declare module "koa2" {
  export { default } from "koa";
}

declare module "koa2-oldest" {
  export { default } from "koa";
}

declare module "koa3-oldest" {
  export { default } from "koa";
}

declare module "koa-mount" {
  import type Koa from "koa";

  export default function mount(prefix: string, app: Koa | Koa.Middleware): Koa.Middleware;
}
