// Where the person writes: a text that grows, a masked field while a secret is asked for,
// and pictures by choice, paste or drop.
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ref } from "preact";
import type { View } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { Drawn } from "./picture.tsx";
import { localeOf } from "./words.ts";
import type { Language, Words } from "./words.ts";

export interface ComposerHandle {
  focus(): void;
  add(files: Iterable<File>): void;
}

const kinds = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const largest = 8 << 20; // bytes of a picture
const mostFiles = 4; // at once
const longestText = 4_000; // characters

export function Composer({ handle, ...view }: { handle: Ref<ComposerHandle> } & View) {
  const { talk, words: w } = view;
  const [text, setText] = useState("");
  const [secret, setSecret] = useState("");
  const [files, setFiles] = useState<File[]>([]);
  const [error, setError] = useState("");
  const field = useRef<HTMLTextAreaElement & HTMLInputElement>(null);
  const masked = talk.asking !== null;
  const entry = w.entry[talk.asking?.entry ?? ""]; // what it is, if it may be seen while it is typed

  const add = (more: Iterable<File>) => {
    if (masked) return; // a secret is asked for, not a picture
    const all = [...files];
    let wrong = "";
    for (const f of more) {
      if (!kinds.includes(f.type)) wrong = "picture_bad";
      else if (f.size > largest) wrong = "picture_large";
      else if (all.length < mostFiles) all.push(f);
    }
    setError(wrong);
    setFiles(all);
    field.current?.focus();
  };
  useImperativeHandle(handle, () => ({ focus: () => field.current?.focus(), add }), [files, masked]);

  useLayoutEffect(() => {
    const f = field.current;
    if (!f || masked) return;
    f.style.height = "auto";
    f.style.height = `${f.scrollHeight + 2}px`; // and its border
  }, [text, masked]);
  // The masked field takes the place of the other one, and its focus if it had it.
  const before = useRef(masked);
  useEffect(() => {
    if (before.current === masked) return;
    before.current = masked;
    setSecret("");
    if (document.activeElement === document.body) field.current?.focus();
  }, [masked]);

  const send = () => {
    setError("");
    if (masked) {
      if (secret === "") return;
      talk.say(secret, true);
      setSecret("");
      return;
    }
    if (text.trim() === "" && files.length === 0) return;
    for (const f of files) talk.sayPicture(f);
    if (text.trim() !== "") talk.say(text.trim());
    setFiles([]);
    setText("");
    field.current?.focus();
  };
  const shared = {
    ref: field,
    id: "field",
    enterkeyhint: "send",
    onKeyDown: (e: KeyboardEvent) => {
      // While an input method composes, Enter takes its word (229: Safari's way to say so).
      if (e.key !== "Enter" || e.shiftKey || e.isComposing || e.keyCode === 229) return;
      e.preventDefault();
      send();
    },
  } as const;

  return (
    <form
      class="composer"
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      {files.length > 0 && <Files {...view} files={files} onRemove={(f) => setFiles(files.filter((other) => other !== f))} onBad={() => setError("picture_bad")} />}
      <p class="error" role="alert">
        {error && w.why[error]}
      </p>
      {masked && (
        <p class="hint" id="hint">
          {entry ? w.entryHint : w.secretHint}
        </p>
      )}
      <div class="line">
        {!masked && <Attach words={w} onFiles={add} />}
        <label class="unseen" for="field">
          {masked ? (entry ?? w.writeSecret) : w.write}
        </label>
        {masked ? (
          <input
            {...shared}
            {...fieldOf(entry ? talk.asking?.entry : undefined)}
            key="secret"
            aria-describedby="hint"
            placeholder={entry ?? w.writeSecret}
            value={secret}
            onInput={(e) => setSecret(e.currentTarget.value)}
          />
        ) : (
          <textarea
            {...shared}
            key="text"
            rows={1}
            maxLength={longestText}
            placeholder={w.write}
            value={text}
            onInput={(e) => {
              setText(e.currentTarget.value);
              talk.typing(e.currentTarget.value !== "");
            }}
            onPaste={(e) => {
              const pasted = [...(e.clipboardData?.files ?? [])];
              if (pasted.length === 0) return;
              e.preventDefault();
              add(pasted);
            }}
          />
        )}
        <button type="submit" class="square main" aria-label={w.send} title={w.send} aria-disabled={masked ? secret === "" : text.trim() === "" && files.length === 0}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}

// fieldOf is the field for an answer that stays out of the talk: masked, unless its owner
// may see it, and then what brings up the right keyboard and the code that was texted.
function fieldOf(entry: string | undefined) {
  switch (entry) {
    case "phone":
      return { type: "tel", autocomplete: "tel" } as const;
    case "number":
      return { type: "text", inputMode: "numeric", autocomplete: "off" } as const;
    case "code":
      return { type: "text", inputMode: "numeric", autocomplete: "one-time-code" } as const;
  }
  return { type: "password", autocomplete: "off" } as const;
}

// Files are the pictures that go with the next message.
function Files({ files, onRemove, onBad, words: w, language }: { files: File[]; onRemove(f: File): void; onBad(): void } & View) {
  return (
    <ul class="files">
      {files.map((f) => (
        <li key={`${f.name} ${f.size} ${f.lastModified}`}>
          <Drawn blob={f} onFail={onBad} />
          <span>{`${f.type.slice(6).toUpperCase()}, ${sizeOf(f.size, language)}`}</span>
          <button type="button" class="square" aria-label={`${w.remove}: ${f.name}`} onClick={() => onRemove(f)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Attach({ words: w, onFiles }: { words: Words; onFiles(files: Iterable<File>): void }) {
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={chooser}
        type="file"
        hidden
        multiple
        accept={kinds.join(",")}
        onChange={(e) => {
          onFiles(e.currentTarget.files ?? []);
          e.currentTarget.value = ""; // the same file may be chosen again
        }}
      />
      <button type="button" class="square" aria-label={w.attach} title={w.attach} onClick={() => chooser.current?.click()}>
        <Icon name="picture" />
      </button>
    </>
  );
}

function sizeOf(bytes: number, language: Language): string {
  const [value, unit] = bytes < 1 << 20 ? [bytes / 1024, "kilobyte"] : [bytes / (1 << 20), "megabyte"];
  return new Intl.NumberFormat(localeOf(language), { style: "unit", unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}
