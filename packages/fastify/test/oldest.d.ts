/** The oldest Fastify that the package is for, installed beside the newest: what the tests use of it has the same types. */
declare module "fastify-oldest" {
  export { fastify } from "fastify";
}
