// What the desk says, by language.
import type { Language } from "../language.ts";
import { useLanguage } from "../staff/settings.tsx";
import { en } from "./words/en.ts";
import type { DeskWords } from "./words/en.ts";
import { faceEn } from "./words/face-en.ts";
import type { FaceWords } from "./words/face-en.ts";
import { faceZh } from "./words/face-zh.ts";
import { journalEn } from "./words/journal-en.ts";
import type { JournalWords } from "./words/journal-en.ts";
import { journalZh } from "./words/journal-zh.ts";
import { zhCN } from "./words/zh.ts";

export type { DeskWords } from "./words/en.ts";
export type { FaceWords } from "./words/face-en.ts";
export type { JournalWords } from "./words/journal-en.ts";

const words: Record<Language, DeskWords> = { en, "zh-CN": zhCN };
const faces: Record<Language, FaceWords> = { en: faceEn, "zh-CN": faceZh };
const journals: Record<Language, JournalWords> = { en: journalEn, "zh-CN": journalZh };

export function useDeskWords(): DeskWords {
  return words[useLanguage()];
}

export function useFaceWords(): FaceWords {
  return faces[useLanguage()];
}

export function useJournalWords(): JournalWords {
  return journals[useLanguage()];
}

// saidIn is a sentence of the server's in the page's language.
export function saidIn(w: { en: string; zh: string } | undefined, language: Language): string {
  return (language === "zh-CN" ? w?.zh : w?.en) || w?.en || "";
}

// namedIn is what has words by language tag, in the page's language; its name if it has none.
export function namedIn(n: { name: string; words?: Record<string, string> }, language: Language): string {
  const all = n.words ?? {};
  return all[language] ?? all[language.split("-")[0]!] ?? all["zh"] ?? all["en"] ?? Object.values(all)[0] ?? n.name;
}
