/** The newest and the oldest Express of each major version that the adapter is for. */
import express from "express";
import express4 from "express4";
import express4Oldest from "express4-oldest";
import express5Oldest from "express5-oldest";
import type { Tried } from "../../contracts/test/tried.ts";
import { expressSubject } from "./subject.ts";

const framework = "Express";

export const tried: readonly Tried[] = [
  { framework, module: "express", subject: expressSubject({ express, extended: true }) },
  { framework, module: "express4", subject: expressSubject({ express: express4, extended: true }) },
  // The parser of forms in its other kind, which knows no structure.
  { framework, module: "express5-oldest", subject: expressSubject({ express: express5Oldest, extended: false }) },
  { framework, module: "express4-oldest", subject: expressSubject({ express: express4Oldest, extended: false }) },
];
