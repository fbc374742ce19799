/** The oldest Hono that the package is for, installed beside the newest: what the tests use of it has the same types. */
declare module "hono-oldest" {
  export { Hono } from "hono";
}
