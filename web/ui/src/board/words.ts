// What the board says, by language.
import type { Language } from "../language.ts";
import { useLanguage } from "../staff/settings.tsx";
import { en } from "./words/en.ts";
import type { BoardWords } from "./words/en.ts";
import { zhCN } from "./words/zh.ts";

export type { BoardWords } from "./words/en.ts";

const words: Record<Language, BoardWords> = { en, "zh-CN": zhCN };

export function useBoardWords(): BoardWords {
  return words[useLanguage()];
}
