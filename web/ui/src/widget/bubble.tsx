// One message, as it is shown.
import { useState } from "preact/hooks";
import { ApiError } from "./api.ts";
import type { View } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import type { Item } from "./outbox.ts";
import { Drawn, Picture } from "./picture.tsx";
import type { ByLanguage, Message, State } from "./protocol.ts";
import { dots, pieces } from "./texts.ts";
import { localeOf } from "./words.ts";
import type { Language, Words } from "./words.ts";

// nameOf is who says a message.
export function nameOf(m: { from: Message["from"]; name?: string }, w: Words): string {
  if (m.from === "customer") return w.you;
  if (m.from === "agent") return m.name || w.agent;
  return m.name || w.assistant;
}

interface BubbleProps extends View {
  message: Message;
  first: boolean; // of several by the same
  end: boolean; // of several by the same in the same minute: that tells the time
  last: boolean; // of the person's own: its state is told in words
  onSize(): void; // it has grown
}

export function Bubble({ message: m, first, end, last, onSize, ...view }: BubbleProps) {
  const { words: w, language, api } = view;
  if (m.from === "system") {
    return (
      <li class="system">
        <Text text={m.erased ? w.erased : m.text} />
      </li>
    );
  }
  const own = m.from === "customer";
  const who = nameOf(m, w);
  return (
    <li class={own ? "own" : "theirs"}>
      <p class={first && !own ? "who" : "unseen"}>{who}</p>
      <div class="bubble" dir="auto" lang={m.lang}>
        {m.attachment && (
          <Picture
            words={w}
            label={own ? w.picture : w.pictureOf(who)}
            source={m.attachment.id}
            width={m.attachment.width}
            height={m.attachment.height}
            load={() => api.attachment((m.attachment as { id: string }).id)}
            onReady={onSize}
          />
        )}
        {m.image && <Picture words={w} label={w.pictureOf(who)} source={m.image} load={() => api.picture(m.image as string)} onReady={onSize} />}
        {m.erased ? <p class="hint">{w.erased}</p> : m.text !== "" && <Text text={m.text} />}
        {m.secret && <span class="unseen">{w.hidden}</span>}
        {m.link && <Link {...view} link={m.link} />}
      </div>
      {(end || own) && (
        <p class="meta">
          {end && <time dateTime={m.at}>{timeOf(m.at, language)}</time>}
          {own && <Mark state={m.state} words={w} inWords={last || m.state === "failed"} />}
        </p>
      )}
    </li>
  );
}

// whyNot says a refusal: in our words, or in the server's where we have none.
export function whyNot(w: Words, language: string, code: string, words?: ByLanguage): string {
  return w.why[code] ?? words?.[language] ?? (w.why.other as string);
}

// Pending is a message in the outbox.
export function Pending({ item, talk, words: w, language, last }: { item: Item; last: boolean } & View) {
  const failed = item.failed !== undefined;
  return (
    <li class={failed ? "own failed" : "own"}>
      <p class="unseen">{w.you}</p>
      <div class="bubble" dir="auto">
        {item.file && (
          <div class="picture">
            <Drawn blob={item.file} onFail={() => {}} />
          </div>
        )}
        {!item.file && item.attachment !== undefined && <p>{w.picture}</p>}
        {item.text !== "" && <Text text={item.secret !== undefined ? dots(item.text) : item.text} />}
      </div>
      {failed ? (
        <div class="meta" role="alert">
          <p>
            <Icon name="bad" /> <b>{w.failed}</b> <span>{whyNot(w, language, item.failed as string, item.words)}</span>
          </p>
          <button type="button" onClick={() => talk.retry(item.id)}>
            {w.retry}
          </button>
          <button type="button" onClick={() => talk.discard(item.id)}>
            {w.discard}
          </button>
        </div>
      ) : (
        <p class="meta">
          <time dateTime={new Date(item.at).toISOString()}>{timeOf(item.at, language)}</time>
          {item.progress !== undefined && item.progress < 1 ? (
            <>
              <progress value={item.progress} aria-label={w.uploading(Math.round(item.progress * 100))} />
              <span>{Math.round(item.progress * 100)}%</span>
            </>
          ) : (
            <Mark state="pending" words={w} inWords={last} />
          )}
        </p>
      )}
    </li>
  );
}

const icons: Record<State, "wait" | "one" | "two" | "bad"> = { pending: "wait", sent: "one", delivered: "two", read: "two", failed: "bad" };

function Mark({ state, words: w, inWords }: { state: State; words: Words; inWords: boolean }) {
  return (
    <span class={`mark ${state}`}>
      <Icon name={icons[state]} />
      <span class={inWords ? "" : "unseen"}>{w[state]}</span>
    </span>
  );
}

// Text shows a text as it was written. Its addresses can be opened.
function Text({ text }: { text: string }) {
  return (
    <p class="text">
      {pieces(text).map((p, i) =>
        p.href !== undefined ? (
          <a key={i} href={p.href} target="_blank" rel="noopener noreferrer nofollow">
            {p.text}
          </a>
        ) : (
          p.text
        ),
      )}
    </p>
  );
}

// Link is an operation's button: its address is fetched when it is pressed, and is good
// for that once.
function Link({ link, api, words: w }: { link: NonNullable<Message["link"]> } & View) {
  const [busy, setBusy] = useState(false);
  const [url, setURL] = useState("");
  const [error, setError] = useState("");
  const over = link.state !== "made" && link.state !== "opened";
  const press = async () => {
    setBusy(true);
    setError("");
    setURL("");
    try {
      const got = new URL(await api.link(link.id));
      if (got.protocol !== "https:" && got.protocol !== "http:") throw new Error("not an address of a page");
      // Browsers open a page only for a press, and forget it after a while; the link
      // that is left is for those.
      setURL(got.href);
      if (navigator.userActivation?.isActive !== false) open(got.href);
    } catch (err) {
      const gone = err instanceof ApiError && (err.code === "link_over" || err.code === "not_found" || err.status === 410);
      setError(gone ? w.linkGone : w.linkFailed);
    }
    setBusy(false);
  };
  return (
    <div class="link">
      {!over && (
        <button type="button" class="main" aria-disabled={busy} onClick={() => !busy && void press()}>
          {link.label || w.linkOpen} <Icon name="out" />
        </button>
      )}
      {url !== "" && !over && (
        <a href={url} target="_blank" rel="noopener noreferrer" onClick={() => setURL("")}>
          {w.linkAgain}
        </a>
      )}
      <p class="hint" role="status">
        {over ? w.linkState[link.state] : error || w.linkState[link.state]}
      </p>
    </div>
  );
}

function open(url: string): void {
  const a = document.createElement("a");
  a.href = url;
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  a.click();
}

const times = new Map<string, Intl.DateTimeFormat>();

// timeOf is the time of day; dayOf the day, in words.
export function timeOf(at: string | number, language: Language): string {
  return formatted(at, language, { hour: "2-digit", minute: "2-digit" });
}

export function dayOf(at: string | number, language: Language): string {
  return formatted(at, language, { weekday: "long", day: "numeric", month: "long" });
}

function formatted(at: string | number, language: Language, how: Intl.DateTimeFormatOptions): string {
  const key = language + (how.weekday ?? "");
  let format = times.get(key);
  if (!format) times.set(key, (format = new Intl.DateTimeFormat(localeOf(language), how)));
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : format.format(date);
}
