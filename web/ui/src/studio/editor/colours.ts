// What the parts of a flow file look like: keys by their depth, verbs, strings with the
// ${…} in them, comments. Classes only; the colours are in editor.css and follow the theme.
import { syntaxTree } from "@codemirror/language";
import { RangeSetBuilder } from "@codemirror/state";
import { Decoration, ViewPlugin } from "@codemirror/view";
import type { DecorationSet, EditorView, ViewUpdate } from "@codemirror/view";

const verbs = new Set(
  "say menu collect language set branch hours http subflow message link handoff identify resume classify answer queue transfer callback voicemail record ticket consent survey end".split(" "),
);

const marks = Object.fromEntries(
  ["key", "top", "step", "verb", "text", "word", "number", "comment", "hole", "sign"].map((name) => [name, Decoration.mark({ class: `t-${name}` })]),
) as Record<"key" | "top" | "step" | "verb" | "text" | "word" | "number" | "comment" | "hole" | "sign", Decoration>;

function paint(view: EditorView): DecorationSet {
  const out = new RangeSetBuilder<Decoration>();
  const doc = view.state.doc;
  for (const { from, to } of view.visibleRanges) {
    const path: string[] = []; // keys of the pairs around
    syntaxTree(view.state).iterate({
      from,
      to,
      enter(node) {
        switch (node.name) {
          case "Pair": {
            const key = node.node.getChild("Key");
            path.push(key ? doc.sliceString(key.from, key.to).trim() : "");
            return;
          }
          case "Key": {
            const name = path.at(-1) ?? "";
            const depth = path.length;
            const kind = depth === 1 ? "top" : depth === 2 && path[0] === "steps" ? "step" : depth === 3 && path[0] === "steps" && verbs.has(name) ? "verb" : "key";
            out.add(node.from, node.to, marks[kind]);
            return false;
          }
          case "Comment":
            out.add(node.from, node.to, marks.comment);
            return false;
          case "QuotedLiteral":
          case "BlockLiteralContent":
          case "Literal": {
            const text = doc.sliceString(node.from, node.to);
            const kind = node.name !== "Literal" ? "text" : /^-?\d+(\.\d+)?(ms|s|m|h|d)?$/.test(text) ? "number" : "word";
            if (node.from < node.to) out.add(node.from, node.to, marks[kind]);
            for (const hole of text.matchAll(/\$\{[^}]*\}/g)) out.add(node.from + hole.index, node.from + hole.index + hole[0].length, marks.hole);
            return false;
          }
        }
        if (/^[:,{}[\]|>-]/.test(node.name) && node.to - node.from <= 2 && node.from < node.to) out.add(node.from, node.to, marks.sign);
        return;
      },
      leave(node) {
        if (node.name === "Pair") path.pop();
      },
    });
  }
  return out.finish();
}

export const colours = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    tree: ReturnType<typeof syntaxTree>;
    constructor(view: EditorView) {
      this.decorations = paint(view);
      this.tree = syntaxTree(view.state);
    }
    update(u: ViewUpdate) {
      const tree = syntaxTree(u.state);
      if (!u.docChanged && !u.viewportChanged && tree === this.tree) return;
      this.tree = tree;
      this.decorations = paint(u.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
