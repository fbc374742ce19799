/** The frame of every page: one style sheet, no script, nothing from anywhere else. */
import { createHash } from "node:crypto";
import { Html, html } from "./html.ts";

const STYLE = `:root{color-scheme:light dark;--ink:#1b2430;--soft:#5a6675;--paper:#fff;--ground:#eef1f5;--line:#d5dbe3;--accent:#1f4fd8;--on-accent:#fff;--warn:#7a4b00;--warn-ground:#fff4de;--bad:#9c1528;--bad-ground:#fdecee}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#a3adba;--paper:#1c222b;--ground:#12161c;--line:#343d4a;--accent:#8fb0ff;--on-accent:#0d1424;--warn:#ffd591;--warn-ground:#352a14;--bad:#ffb4bb;--bad-ground:#3c1a20}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:30rem;padding:2rem;background:var(--paper);border:1px solid var(--line);border-radius:.75rem}
h1{margin:0 0 .75rem;font-size:1.35rem;line-height:1.3;overflow-wrap:anywhere;text-wrap:balance}
h2{margin:1.5rem 0 .5rem;font-size:1rem}
p{margin:.5rem 0;overflow-wrap:anywhere;text-wrap:pretty}
ul{margin:.5rem 0;padding-left:1.25rem}
li{margin:.25rem 0;overflow-wrap:anywhere}
.soft{color:var(--soft);font-size:.9rem}
.host{font-weight:600;overflow-wrap:anywhere}
.uri{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.85rem;overflow-wrap:anywhere}
.tag{display:inline-block;padding:0 .5rem;border:1px solid var(--line);border-radius:1rem;font-size:.8rem;color:var(--soft);white-space:nowrap}
.warning{margin:1rem 0;padding:.75rem 1rem;border-radius:.5rem;background:var(--warn-ground);color:var(--warn);font-size:.95rem}
.choices{display:flex;gap:.75rem;margin-top:1.5rem;flex-wrap:wrap-reverse}
button{flex:1 1 8rem;padding:.7rem 1rem;border:1px solid var(--line);border-radius:.5rem;background:transparent;color:var(--ink);font:inherit;cursor:pointer}
button.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:600}
.choices.providers{flex-direction:column}
.providers button{flex:none;width:100%}
.providers button:not(.provider){order:1;border-color:transparent}
button.provider{font-weight:600}
a.button{flex:1 1 8rem;padding:.7rem 1rem;border-radius:.5rem;background:var(--accent);color:var(--on-accent);font-weight:600;text-align:center;text-decoration:none}
a.button:focus-visible,button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
section{margin-top:1.5rem;border-top:1px solid var(--line)}
.error,.done{margin:1rem 0;padding:.75rem 1rem;border-radius:.5rem;overflow-wrap:anywhere}
.error{background:var(--bad-ground);color:var(--bad)}
.done{background:var(--ground)}
.field{margin:1rem 0}
.field label{display:block;margin-bottom:.25rem;font-weight:600}
.field p{margin:.5rem 0 0}
.field input{display:block;width:100%;min-height:2.75rem;padding:.6rem .75rem;border:1px solid var(--soft);border-radius:.5rem;background:var(--paper);color:var(--ink);font:inherit}
.field input[aria-invalid=true]{border-color:var(--bad);box-shadow:0 0 0 1px var(--bad)}
.links{margin:1rem 0 0;display:flex;flex-wrap:wrap;gap:0 1.5rem}
.links a{min-height:2.75rem;display:flex;align-items:center;color:var(--accent)}
.rows{padding:0;list-style:none}
.rows li{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem .75rem;margin:0;padding:.75rem 0}
.rows li+li{border-top:1px solid var(--line)}
.rows li>div{flex:1 1 12rem;min-width:0}
.rows li p{margin:0}
.rows button{flex:none}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.field input:focus-visible,.links a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media (max-width:24rem){body{padding:.5rem}main{padding:1.25rem}}`;

/** What the Content-Security-Policy has to allow for {@link layout}, and nothing else: CSP Level 3, hash sources. */
export const STYLE_HASH = `'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`;

/** A whole document. */
export function layout(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`.text;
}
