// Light or dark: as the device says, or as chosen here. Remembered on this device.

export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const key = "tandem.theme";

export function firstTheme(): Theme {
  try {
    const kept = localStorage.getItem(key);
    return themes.find((t) => t === kept) ?? "auto";
  } catch {
    return "auto"; // storage is refused in some private windows
  }
}

export function applyTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

export function keepTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    localStorage.setItem(key, theme);
  } catch {
    // It then lasts as long as the page.
  }
}
