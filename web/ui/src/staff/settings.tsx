// Language and theme of the pages: chosen once, known everywhere below, and switched
// without loading anything anew.
import { createContext } from "preact";
import type { ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useMemo, useState } from "preact/hooks";
import { firstLanguage, languages, remember } from "../language.ts";
import type { Language } from "../language.ts";
import { firstTheme, keepTheme } from "./theme.ts";
import type { Theme } from "./theme.ts";

export interface Settings {
  language: Language;
  theme: Theme;
  chooseLanguage(language: Language): void;
  chooseTheme(theme: Theme): void;
}

const SettingsContext = createContext<Settings>({ language: "en", theme: "auto", chooseLanguage: () => {}, chooseTheme: () => {} });

export function SettingsProvider({ children }: { children: ComponentChildren }) {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const [theme, setTheme] = useState<Theme>(firstTheme);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const chooseLanguage = useCallback((next: Language) => {
    remember(next);
    setLanguage(next);
  }, []);
  const chooseTheme = useCallback((next: Theme) => {
    keepTheme(next);
    setTheme(next);
  }, []);
  const value = useMemo(() => ({ language, theme, chooseLanguage, chooseTheme }), [language, theme, chooseLanguage, chooseTheme]);
  return <SettingsContext.Provider value={value}>{children}</SettingsContext.Provider>;
}

export function useSettings(): Settings {
  return useContext(SettingsContext);
}

export function useLanguage(): Language {
  return useContext(SettingsContext).language;
}

// languageOf is the page language for a tag that a server kept, if it is one of ours.
export function languageOf(tag: string): Language | undefined {
  return languages.find((l) => l === tag);
}
