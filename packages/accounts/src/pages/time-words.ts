/** Instants and durations as a person reads them. */
import { type Html, html } from "@sallyport/oauth-core/accounts";

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

/** An instant, in seconds since 1970, in the one time zone that is known: UTC. */
export function instant(at: number): Html {
  const date = new Date(at * 1000);
  const precise = date.toISOString().replace(/\.\d+Z$/, "Z");
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return html`<time datetime="${precise}">${day}, ${precise.slice(11, 16)} UTC</time>`;
}

/** A duration in seconds, rounded up to what a person would say: whoever waits so long has waited long enough. */
export function durationWords(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 60) return counted(whole, "second");
  const minutes = Math.ceil(whole / 60);
  if (minutes < 120 && minutes !== 60) return counted(minutes, "minute");
  return counted(Math.ceil(minutes / 60), "hour");
}

function counted(count: number, unit: string): string {
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}
