// The customer's telephone in the demo: its texts, and its keys.
import { useEffect, useRef, useState } from "preact/hooks";
import { pieces } from "../widget/texts.ts";
import { localeOf } from "../widget/words.ts";
import type { Language } from "../language.ts";
import type { Entry, Phone } from "./entries.ts";
import { Keypad } from "./keypad.tsx";
import { useTexts } from "./texts.ts";
import type { Text } from "./texts.ts";
import type { Words } from "./words.ts";

interface PhoneProps {
  phone: Phone;
  entries: Entry[];
  language: Language;
  words: Words;
  onCall(number: string): void;
  onKey(key: string): boolean; // true: a call has taken it
}

export function PhoneView({ phone, entries, language, words: w, onCall, onKey }: PhoneProps) {
  return (
    <section class="phone" aria-labelledby="phone">
      <h2 id="phone">{w.phone}</h2>
      <p class="own">{phone.number}</p>
      <Inbox phone={phone} language={language} words={w} />
      <Keypad entries={entries} language={language} words={w} onCall={onCall} onKey={onKey} />
    </section>
  );
}

function Inbox({ phone, language, words: w }: { phone: Phone; language: Language; words: Words }) {
  const { list, failed, reply } = useTexts(phone);
  const [text, setText] = useState("");
  const [lost, setLost] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [list.length]);
  const send = async () => {
    const said = text.trim();
    if (said === "") return;
    setText("");
    const taken = await reply(said);
    setLost(!taken);
    if (!taken) setText(said);
  };
  return (
    <>
      <h3 id="texts">{w.texts}</h3>
      <div class="inbox" ref={box} role="log" aria-labelledby="texts" tabIndex={0}>
        {list.length === 0 && <p class="empty">{failed ? w.textsUnreachable : w.noTexts}</p>}
        <ol>
          {list.map((t) => (
            <li key={t.id} class={t.by_phone ? "mine" : ""}>
              <p class="unseen">{t.by_phone ? w.fromPhone : w.fromNumber(t.from)}</p>
              <p class="text" dir="auto">
                {pieces(bodyOf(t), location.origin).map((p, i) =>
                  p.href !== undefined ? (
                    <a key={i} href={p.href} target="_blank" rel="noopener noreferrer">
                      {p.text}
                    </a>
                  ) : (
                    p.text
                  ),
                )}
              </p>
              <p class="when">
                <time dateTime={t.at}>{new Intl.DateTimeFormat(localeOf(language), { hour: "2-digit", minute: "2-digit" }).format(new Date(t.at))}</time>
                {t.state === "failed" && <span> {w.textFailed}</span>}
              </p>
            </li>
          ))}
        </ol>
      </div>
      {failed && list.length > 0 && <p role="status">{w.textsUnreachable}</p>}
      <form
        class="reply"
        onSubmit={(e) => {
          e.preventDefault();
          void send();
        }}
      >
        <label class="unseen" for="reply">
          {w.reply}
        </label>
        <input id="reply" autocomplete="off" maxLength={1000} placeholder={w.reply} value={text} onInput={(e) => setText(e.currentTarget.value)} />
        <button type="submit">{w.send}</button>
      </form>
      <p class="bad" role="alert">
        {lost && w.replyFailed}
      </p>
    </>
  );
}

// bodyOf is what a phone would show: gateways that take templates only fill in the text
// themselves, which the simulator cannot know.
function bodyOf(t: Text): string {
  if (t.text) return t.text;
  return [t.template ?? "", ...Object.entries(t.params ?? {}).map(([k, v]) => `${k}: ${v}`)].filter(Boolean).join("\n");
}
