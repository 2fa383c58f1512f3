// The panel: its head with what can be done, the talk, and where the person writes.
import { useEffect, useRef, useState } from "preact/hooks";
import { CallBack } from "./callback.tsx";
import { Composer } from "./composer.tsx";
import type { ComposerHandle } from "./composer.tsx";
import type { Face } from "./facing.ts";
import { useLater } from "./hooks.ts";
import type { View } from "./hooks.ts";
import { coarse } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { Messages } from "./messages.tsx";
import { Place } from "./place.tsx";
import { whyNot } from "./bubble.tsx";
import { languageNames, languages } from "./words.ts";
import type { Language } from "./words.ts";

interface PanelProps extends View {
  calling: boolean; // "call me back" lies over the talk
  setCalling(on: boolean): void;
  page: boolean; // it is the page: nothing to close
  onClose(): void;
  onLanguage(l: Language): void;
  face: Face | null;
  failed: boolean; // what shows voice and pictures could not be loaded
  wish(): void;
}

const patience = 1_500; // milliseconds without a connection before it is told

export function Panel({ calling, setCalling, page, onClose, onLanguage, face, failed, wish, ...view }: PanelProps) {
  const { talk, api, words: w, language } = view;
  const [over, setOver] = useState(false); // a file is held above the panel
  const [error, setError] = useState("");
  const panel = useRef<HTMLElement>(null);
  const composer = useRef<ComposerHandle>(null);
  const callButton = useRef<HTMLButtonElement>(null);
  const faces = useRef<HTMLDivElement>(null);
  const { state } = talk;
  const waiting = useLater(state === "connecting" || state === "waiting", patience);
  const title = talk.site.title?.[language] || Object.values(talk.site.title ?? {})[0] || w.title;

  // A finger's keyboard would cover the greeting: there the panel itself is focused.
  const focusWriting = () => (coarse() ? panel.current : composer.current)?.focus();
  useEffect(() => {
    if (!page || !coarse()) focusWriting();
  }, []);
  useEffect(() => {
    if (!page) return;
    document.title = title;
    document.documentElement.lang = language;
  }, [page, title, language]);
  useEffect(() => face?.draw(faces.current, language), [face, language]);
  useEffect(() => () => face?.draw(null, language), [face]);
  useEffect(() => fitKeyboard(panel.current as HTMLElement), []);

  const download = async () => {
    setError("");
    try {
      const url = URL.createObjectURL(await api.transcript());
      const a = document.createElement("a");
      a.href = url;
      a.download = w.transcriptFile;
      a.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch {
      setError(w.transcriptFailed);
    }
  };

  const trouble = state === "refused" ? w.notHere : !waiting ? "" : navigator.onLine === false ? w.offline : talk.failing ? w.unreachable : w.connecting;
  const notice = error || (failed ? w.faceFailed : "") || (talk.notice ? whyNot(w, language, talk.notice.code, talk.notice.words) : "");
  return (
    <section
      ref={panel}
      class={over ? "panel over" : "panel"}
      role={page ? "region" : "dialog"}
      aria-label={title}
      tabIndex={-1}
      lang={language}
      onKeyDown={(e) => {
        if (e.key !== "Escape" || e.isComposing || page) return;
        e.stopPropagation();
        onClose();
      }}
      onDragOver={(e) => {
        if (!e.dataTransfer?.types.includes("Files")) return;
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={(e) => e.currentTarget.contains(e.relatedTarget as Node | null) || setOver(false)}
      onDrop={(e) => {
        setOver(false);
        if (!e.dataTransfer?.files.length) return;
        e.preventDefault();
        composer.current?.add(e.dataTransfer.files);
      }}
    >
      <header>
        <div class="title">
          <h2>{title}</h2>
          {talk.place && <p>{talk.place}</p>}
        </div>
        <div class="actions">
          {talk.beside.may.length > 0 && !talk.beside.upgrade && (
            <button type="button" class="square" aria-label={w.face} title={w.face} onClick={wish}>
              <Icon name="face" />
            </button>
          )}
          {talk.site.call_back && (
            <button ref={callButton} type="button" class="square" aria-label={w.callBack} title={w.callBack} aria-pressed={calling} onClick={() => setCalling(!calling)}>
              <Icon name="phone" />
            </button>
          )}
          <More {...view} onLanguage={onLanguage} onDownload={() => void download()} />
          {!page && (
            <button type="button" class="square" aria-label={w.close} title={w.close} onClick={onClose}>
              <Icon name="close" />
            </button>
          )}
        </div>
      </header>
      <p class="trouble" role="status">
        {trouble}
      </p>
      <Place {...view} onTaken={focusWriting} />
      <div ref={faces} class="faces" />
      {calling ? (
        <CallBack
          {...view}
          onBack={() => {
            setCalling(false);
            callButton.current?.focus();
          }}
        />
      ) : (
        <>
          <Messages {...view} onChosen={focusWriting} />
          <p class="notice" role="status">
            {notice}
          </p>
          <Composer handle={composer} {...view} />
        </>
      )}
      {over && <p class="drop">{w.drop}</p>}
    </section>
  );
}

// More holds what is seldom wanted.
function More({ talk, words: w, language, onLanguage, onDownload }: { onLanguage(l: Language): void; onDownload(): void } & View) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const leave = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      class="more"
      ref={box}
      onKeyDown={(e) => {
        if (e.key !== "Escape" || !open) return;
        e.stopPropagation();
        leave();
      }}
      onFocusOut={(e) => e.relatedTarget instanceof Node && !box.current?.contains(e.relatedTarget) && setOpen(false)}
    >
      <button ref={button} type="button" class="square" aria-label={w.more} title={w.more} aria-expanded={open} aria-controls="more" onClick={() => setOpen(!open)}>
        <Icon name="more" />
      </button>
      {/* A press on a label's words must not take the focus: the menu would close before the click. */}
      <div id="more" hidden={!open} onMouseDown={(e) => e.preventDefault()}>
        <fieldset>
          <legend>{w.language}</legend>
          {languages.map((l) => (
            <label key={l} lang={l}>
              <input type="radio" name="language" checked={l === language} onChange={() => onLanguage(l)} /> {languageNames[l]}
            </label>
          ))}
        </fieldset>
        {talk.log.list.length > 0 && (
          <button
            type="button"
            onClick={() => {
              leave();
              onDownload();
            }}
          >
            <Icon name="down" /> {w.transcript}
          </button>
        )}
      </div>
    </div>
  );
}

// fitKeyboard keeps the panel above a finger's keyboard, which browsers lay over the page.
function fitKeyboard(panel: HTMLElement): () => void {
  const view = window.visualViewport;
  if (!view) return () => {};
  const fit = () => {
    panel.style.setProperty("--view-height", `${view.height}px`);
    panel.style.setProperty("--view-top", `${view.offsetTop}px`);
  };
  fit();
  view.addEventListener("resize", fit);
  view.addEventListener("scroll", fit);
  return () => {
    view.removeEventListener("resize", fit);
    view.removeEventListener("scroll", fit);
  };
}
