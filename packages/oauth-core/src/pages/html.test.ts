import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Html, html, type Piece } from "./html.ts";

describe("what is put into a template", () => {
  test("text is escaped, in content and in quoted attributes", () => {
    expect(html`<a title="${`"'<>&`}">${"<b>"}</a>`.text).toBe('<a title="&quot;&#39;&lt;&gt;&amp;">&lt;b&gt;</a>');
  });

  test("markup of this tag stays markup, lists are joined, undefined and false are nothing", () => {
    const items: Piece[] = ["<", 2, html`<i>`, undefined, false];
    expect(html`${items}|${undefined}|${false}|${0}`.text).toBe("&lt;2<i>|||0");
  });

  test("nothing but an Html is believed to be markup, whatever it looks like", () => {
    const forged = { text: "<script>" } as unknown as string;
    expect(() => html`${forged}`.text).toThrow();
    expect(new Html("<b>").text).toBe("<b>");
  });

  test("no text ends an attribute, begins an element or a reference", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const { text: rendered } = html`${text}`;
        expect(rendered).not.toMatch(/[<>"']/);
        const unescaped = rendered
          .replaceAll("&lt;", "<")
          .replaceAll("&gt;", ">")
          .replaceAll("&quot;", '"')
          .replaceAll("&#39;", "'")
          .replaceAll("&amp;", "&");
        expect(unescaped).toBe(text);
      }),
    );
  });
});
