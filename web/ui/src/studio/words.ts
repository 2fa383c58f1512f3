// What the studio says, by language.
import type { Language } from "../language.ts";
import { useLanguage } from "../staff/settings.tsx";
import { en } from "./words/en.ts";
import type { Words } from "./words/en.ts";
import { zhCN } from "./words/zh.ts";

const words: Record<Language, Words> = { en, "zh-CN": zhCN };

export function useStudioWords(): Words {
  return words[useLanguage()];
}
