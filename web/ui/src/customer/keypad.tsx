// The keys of the demo's phone: it calls from the page where a number allows it, and says
// how to dial any with a telephone.
import { useState } from "preact/hooks";
import type { Language } from "../language.ts";
import { callWords } from "../voice/words.ts";
import type { Entry } from "./entries.ts";
import { Address } from "./numbers.tsx";
import type { Words } from "./words.ts";

const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const longest = 20; // keys

interface Props {
  entries: Entry[];
  language: Language;
  words: Words;
  onCall(number: string): void;
  onKey(key: string): boolean; // true: a call has taken it
}

export function Keypad({ entries, language, words: w, onCall, onKey }: Props) {
  const [number, setNumber] = useState("");
  const entry = number === "" ? undefined : entryOf(number, entries);
  const address = entry && addressOf(number, entry, entries);
  return (
    <>
      <h3>{w.keypad}</h3>
      <div class="keypad">
        <label class="unseen" for="dialled">
          {w.number}
        </label>
        <input id="dialled" type="tel" autocomplete="off" maxLength={longest} value={number} onInput={(e) => setNumber(e.currentTarget.value.replace(/[^\d*#+]/g, ""))} />
        <button type="button" disabled={number === ""} onClick={() => setNumber(number.slice(0, -1))}>
          {w.erase}
        </button>
        <div class="keys" role="group" aria-label={w.keypad}>
          {keys.map((k) => (
            <button type="button" key={k} onClick={() => onKey(k) || setNumber((number + k).slice(0, longest))}>
              {k}
            </button>
          ))}
        </div>
        <button type="button" class="dial" disabled={!entry?.call} onClick={() => onCall(number)}>
          {callWords[language].call}
        </button>
      </div>
      <div role="status">
        {number !== "" && !entry && <p>{w.leadsNowhere(number)}</p>}
        {address !== undefined && (
          <>
            <p>{w.dialWith}</p>
            <Address address={address} words={w} />
          </>
        )}
      </div>
      <p class="hint">{w.fromPage}</p>
    </>
  );
}

// entryOf finds where a number leads: itself, else the longest prefix.
function entryOf(number: string, entries: Entry[]): Entry | undefined {
  const exact = entries.find((e) => e.number === number);
  if (exact) return exact;
  return entries
    .filter((e) => e.number.endsWith("*") && number.startsWith(e.number.slice(0, -1)))
    .sort((a, b) => b.number.length - a.number.length)[0];
}

// addressOf is what to dial: of a prefix, as other numbers of this place are dialled.
function addressOf(number: string, entry: Entry, entries: Entry[]): string | undefined {
  if (entry.dial[0] !== undefined) return entry.dial[0];
  const host = entries.find((e) => e.dial.length > 0)?.dial[0]?.split("@")[1];
  return host && `sip:${number}@${host}`;
}
