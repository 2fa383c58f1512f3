// Completion, asked of the server, which knows the language and every name in the folder.
import { autocompletion } from "@codemirror/autocomplete";
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import type { Completion as Answer } from "../answers.ts";
import { placeOf } from "./places.ts";

export type Ask = (text: string, line: number, column: number, signal: AbortSignal) => Promise<Answer>;

const names = /^[\w.*:-]*$/;

// completion offers what may stand at the cursor. kindOf names a kind in the page's language.
export function completion(ask: () => Ask, kindOf: (kind: string) => string): Extension {
  const source = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const before = context.matchBefore(/[\w.*-]+/);
    if (!context.explicit && !before && !/(^\s*(- )?|[:{,[]\s)$/.test(context.state.doc.lineAt(context.pos).text.slice(0, context.pos - context.state.doc.lineAt(context.pos).from))) return null;
    const stop = new AbortController();
    context.addEventListener("abort", () => stop.abort());
    const { line, column } = placeOf(context.state.doc, context.pos);
    let answer: Answer;
    try {
      answer = await ask()(context.state.doc.toString(), line, column, stop.signal);
    } catch {
      return null; // typing goes on; the check says what is wrong
    }
    if (answer.items.length === 0) return null;
    const row = context.state.doc.line(line);
    const unit = (col: number) => row.from + [...row.text].slice(0, col - 1).join("").length;
    const from = Math.min(unit(answer.from), context.pos);
    return {
      from,
      to: Math.max(unit(answer.to), context.pos),
      options: answer.items.map((item): Completion => ({
        label: item.label,
        type: item.kind,
        detail: item.detail,
        apply: item.insert || item.label,
        ...(item.info ? { info: item.info } : {}),
      })),
      validFor: names,
    };
  };
  return autocompletion({
    override: [source],
    icons: false,
    activateOnTypingDelay: 120,
    maxRenderedOptions: 60,
    addToOptions: [
      {
        position: 20,
        render(completion) {
          const tag = document.createElement("span");
          tag.className = "completion-kind";
          tag.textContent = kindOf(completion.type ?? "");
          return tag;
        },
      },
    ],
  });
}
