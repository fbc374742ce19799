/** The versions of Express that tests install under names of their own, as far as they have the types of Express 5. */
declare module "express4" {
  export { default } from "express";
}
declare module "express4-oldest" {
  export { default } from "express";
}
declare module "express5-oldest" {
  export { default } from "express";
}
