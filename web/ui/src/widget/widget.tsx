// The whole of the widget: the launcher, and the panel while it is open.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useFace } from "./facing.ts";
import { useTalk } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { News } from "./messages.tsx";
import { Panel } from "./panel.tsx";
import type { Api } from "./api.ts";
import type { Talk } from "./talk.ts";
import { words } from "./words.ts";
import type { Language } from "./words.ts";

// Control is what the page may do with the widget.
export interface Control {
  open(): void;
  close(): void;
}

interface WidgetProps {
  talk: Talk;
  api: Api;
  page: boolean;
  language: Language;
  onLanguage(l: Language): void; // the person has chosen
  control(c: Control): void; // told once
}

export function Widget({ talk, api, page, language, onLanguage, control }: WidgetProps) {
  useTalk(talk);
  const [open, setOpen] = useState(page);
  const [calling, setCalling] = useState(false);
  const launcher = useRef<HTMLButtonElement>(null);
  const root = useRef<HTMLDivElement>(null);
  const w = words[language];
  const view = { talk, api, words: w, language };

  const close = () => {
    setOpen(false);
    setTimeout(() => launcher.current?.focus());
  };
  useMemo(() => control({ open: () => setOpen(true), close: () => !page && setOpen(false) }), []);
  useLayoutEffect(() => {
    if (open) talk.open();
  }, [open, talk]);
  // At once, before a message comes that would count as seen while the panel closes.
  useLayoutEffect(() => {
    const look = () => talk.look(open && !calling && document.visibilityState === "visible");
    look();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [open, calling, talk]);
  useLayoutEffect(() => readableOn(root.current as HTMLElement), []);

  const { unread } = talk;
  const facing = useFace(talk, api, () => root.current as Node);
  const live = facing.face?.live === true;
  const asked = talk.beside.calls;
  return (
    <div ref={root} class={page ? "root page" : "root"} lang={language}>
      <News {...view} open={open} />
      {!open && (
        <button ref={launcher} type="button" class={live ? "launcher live" : "launcher"} aria-label={asked ? w.openAsked : live ? w.openLive : unread > 0 ? w.openUnread(unread) : w.open} aria-haspopup="dialog" onClick={() => setOpen(true)}>
          <Icon name={live ? "face" : "chat"} />
          {(asked || unread > 0) && (
            <span class="badge" aria-hidden="true">
              {asked ? "!" : unread > 99 ? "99+" : unread}
            </span>
          )}
        </button>
      )}
      {open && <Panel {...view} {...facing} calling={calling} setCalling={setCalling} page={page} onClose={close} onLanguage={onLanguage} />}
    </div>
  );
}

// readableOn sets what is written on the site's colour to black or white, whichever can be
// read better: on any colour one of them can.
function readableOn(root: HTMLElement): void {
  const colour = getComputedStyle(root).outlineColor; // the style sheet puts it there
  const [r, g, b] = colour.startsWith("rgb(") ? (colour.match(/[\d.]+/g) ?? []).map(Number) : [];
  if (r === undefined || g === undefined || b === undefined) return;
  const linear = (v: number) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  root.style.setProperty("--on", light > 0.179 ? "#000" : "#fff");
}
