// The languages of the pages: chosen by the browser, switched by the person, and
// remembered on this device only.

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

// Its own name for each language, so that whoever needs it can read it.
export const languageNames: Record<Language, string> = { en: "English", "zh-CN": "中文" };

const key = "tandem.language";

export function firstLanguage(): Language {
  const wishes = [remembered(), ...navigator.languages];
  for (const wish of wishes) {
    if (wish === null) continue;
    const match = languages.find((l) => l.split("-")[0] === wish.split("-")[0]?.toLowerCase());
    if (match) return match;
  }
  return "en";
}

export function remember(language: Language): void {
  try {
    localStorage.setItem(key, language);
  } catch {
    // Storage is refused in some private windows; the choice then lasts as long as the page.
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

// A flow's language in the words of the page.
export function nameOf(tag: string, inLanguage: Language): string {
  try {
    return new Intl.DisplayNames([inLanguage], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
