// The list of numbers, each with the addresses to dial it by.
import { useEffect, useState } from "preact/hooks";
import { nameOf } from "../language.ts";
import type { Language } from "../language.ts";
import { callWords } from "../voice/words.ts";
import type { Entry } from "./entries.ts";
import type { Words } from "./words.ts";

interface ListProps {
  entries: Entry[];
  language: Language;
  words: Words;
  onCall(number: string): void;
}

export function NumberList({ entries, language, words: w, onCall }: ListProps) {
  if (entries.length === 0) return <p class="empty">{w.none}</p>;
  return (
    <ul class="numbers">
      {entries.map((e) => (
        <li key={e.number}>
          <h3 class="number">{e.number.endsWith("*") ? w.prefix(e.number.slice(0, -1)) : e.number}</h3>
          {e.languages.length > 0 && (
            <p class="speaks">
              <span class="unseen">{w.speaks} </span>
              {e.languages.map((l) => (
                <span class="tag" key={l}>
                  {nameOf(l, language)}
                </span>
              ))}
            </p>
          )}
          {e.auth && <p class="hint">{w.auth}</p>}
          {e.call && (
            <p class="from-page">
              <button type="button" onClick={() => onCall(e.number)}>
                {callWords[language].callOf(e.number)}
              </button>
            </p>
          )}
          {e.dial.map((address) => (
            <Address key={address} address={address} words={w} />
          ))}
        </li>
      ))}
    </ul>
  );
}

const copiedFor = 2_000; // milliseconds the button says so

export function Address({ address, words: w }: { address: string; words: Words }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = window.setTimeout(() => setCopied(false), copiedFor);
    return () => window.clearTimeout(timer);
  }, [copied]);
  // Browsers give the clipboard to secure pages only: loopback or HTTPS.
  const canCopy = window.isSecureContext && navigator.clipboard !== undefined;
  return (
    <p class="address">
      <a href={address}>{address}</a>
      {canCopy && (
        <button
          type="button"
          aria-label={`${w.copy}: ${address}`}
          onClick={() => void navigator.clipboard.writeText(address).then(() => setCopied(true), () => setCopied(false))}
        >
          {copied ? w.copied : w.copy}
        </button>
      )}
    </p>
  );
}
