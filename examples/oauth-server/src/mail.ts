/** Mails of a demonstration: they are written to the terminal and sent to nobody. */
import type { Mail, SendMail } from "@sallyport/accounts";

/**
 * Shows each mail where the server runs.
 *
 * Danger: whoever has the link in it has the account. A terminal is as private as a mailbox only where nobody else reads it, and a log never is.
 */
export function terminalMail(write: (text: string) => void = console.log): SendMail {
  return ({ to, subject, text }: Mail) => {
    const lines = [`To: ${to}`, `Subject: ${subject}`, "", ...text.trimEnd().split("\n")];
    write(
      [
        "",
        "--- DEMO: a mail, shown here and sent to nobody",
        ...lines.map((line) => `  ${line}`),
        "--- end of the mail",
      ]
        .map((line) => line.trimEnd())
        .join("\n"),
    );
  };
}
