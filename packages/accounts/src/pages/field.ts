/** An input with its label, its hint and what is wrong with it. WCAG 2.2 §1.3.5, §3.3.2. */
import { type Html, html } from "@sallyport/oauth-core/accounts";
import { type FieldName, fieldsOf, PROBLEM_ID, type ProblemName } from "./problem.ts";

interface Kind {
  readonly type: "text" | "password";
  readonly autocomplete: string;
  /** Which keyboard a telephone shows. */
  readonly inputmode?: "email";
  /** In UTF-16 units. */
  readonly minlength?: number;
  /** In UTF-16 units. No password has one: browsers cut what is pasted, and the person would never know what their password has become. */
  readonly maxlength?: number;
  /** Whether a telephone may begin it with a capital letter, and a browser may send it to a spelling service. */
  readonly isProse?: boolean;
}

const KINDS: Readonly<Record<FieldName, Kind>> = {
  login: { type: "text", autocomplete: "username", inputmode: "email", maxlength: 254 },
  // Not `type="email"`: browsers rewrite what is typed into it, and refuse addresses with letters beyond ASCII, which are good ones.
  email: { type: "text", autocomplete: "email", inputmode: "email", maxlength: 254 },
  name: { type: "text", autocomplete: "name", maxlength: 200, isProse: true },
  password: { type: "password", autocomplete: "current-password" },
  new_password: { type: "password", autocomplete: "new-password", minlength: 8 },
  repeat_password: { type: "password", autocomplete: "new-password", minlength: 8 },
};

/** What a page says about one of its fields. */
export interface FieldWords {
  readonly label: string;
  readonly hint?: string | undefined;
  /** What stands in it; left out for every password, whatever is given. */
  readonly value?: string | undefined;
  /** What is wrong with the form; the first field that it is about gets the focus, where a screen reader then says why. */
  readonly problem: ProblemName | undefined;
  /** Whether the page begins here when nothing is wrong. */
  readonly isFirst?: boolean | undefined;
}

/** Renders a field. Its id is its name, so that a page has each of them once. */
export function field(name: FieldName, { label, hint, value, problem, isFirst }: FieldWords): Html {
  const { type, autocomplete, inputmode, minlength, maxlength, isProse } = KINDS[name];
  const wrong = fieldsOf(problem);
  const isWrong = wrong.includes(name);
  const focused = wrong.length > 0 ? wrong[0] === name : isFirst === true;
  const hintId = `${name}-hint`;
  const descriptions = [...(isWrong ? [PROBLEM_ID] : []), ...(hint === undefined ? [] : [hintId])];
  return html`<div class="field">
<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" required${
    inputmode && html` inputmode="${inputmode}"`
  }${minlength && html` minlength="${minlength}"`}${maxlength && html` maxlength="${maxlength}"`}${
    type === "text" && html` dir="auto" value="${value}"`
  }${isProse !== true && html` autocapitalize="none" spellcheck="false"`}${isWrong && html` aria-invalid="true"`}${
    descriptions.length > 0 && html` aria-describedby="${descriptions.join(" ")}"`
  }${focused && html` autofocus`}>
${hint !== undefined && html`<p class="soft" id="${hintId}">${hint}</p>`}
</div>
`;
}

/** A new password, twice. */
export function newPasswordFields(problem: ProblemName | undefined, { isFirst = false } = {}): Html {
  return html`${field("new_password", { label: "New password", hint: "At least 8 characters. A few words that you can remember are good.", problem, isFirst })}${field(
    "repeat_password",
    { label: "New password, again", problem },
  )}`;
}

/** Tells password managers whose password the form is about, where the person does not type it. It has no name and is never sent. */
export function passwordOwner(login: string): Html {
  return html`<input type="text" autocomplete="username" value="${login}" readonly hidden>
`;
}
