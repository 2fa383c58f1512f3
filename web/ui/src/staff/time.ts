// Times as people in the page's language write them, in the zone of their own clock.
import type { Language } from "../language.ts";

function at(text: string | null): Date | null {
  if (text === null || text === "") return null;
  const when = new Date(text);
  return Number.isNaN(when.getTime()) || when.getUTCFullYear() < 2 ? null : when; // Go's zero time is in year 1
}

export function dateTime(text: string | null, language: Language): string {
  const when = at(text);
  return when ? new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", hour12: false }).format(when) : "–";
}

export function clock(when: Date | string, language: Language): string {
  const date = typeof when === "string" ? at(when) : when;
  return date ? new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(date) : "–";
}

// seconds as m:ss, the same in every language.
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
