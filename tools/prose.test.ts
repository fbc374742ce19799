import { expect, test } from "vitest";
import { blocksOf } from "./prose.ts";

test("each TypeScript block is found, and its lines keep their numbers", () => {
  const markdown = [
    "# A",
    "```ts",
    "one();",
    "two();",
    "```",
    "",
    "```sh",
    "npm i",
    "```",
    "```typescript",
    "three();",
    "```",
  ];
  expect(blocksOf(markdown.join("\n"))).toEqual(["\n\none();\ntwo();", `${"\n".repeat(10)}three();`]);
});

test("what a block is given in the comment above it comes first, and also keeps its lines", () => {
  const markdown = ["<!-- given", "declare const one: () => void;", "-->", "", "```ts", "one();", "```"];
  expect(blocksOf(markdown.join("\n"))).toEqual(["\ndeclare const one: () => void;\n\n\n\none();"]);
});

test("the comment above one block is not given to the next", () => {
  const markdown = ["<!-- given", "declare const a: 1;", "-->", "```ts", "a;", "```", "text", "```ts", "b;", "```"];
  expect(blocksOf(markdown.join("\n"))[1]?.trim()).toBe("b;");
});

test("a block may repeat a line of what it is given", () => {
  const markdown = ["<!-- given", "one();", "-->", "```ts", "one();", "```"];
  expect(blocksOf(markdown.join("\n"))).toEqual(["\none();\n\n\none();"]);
});
