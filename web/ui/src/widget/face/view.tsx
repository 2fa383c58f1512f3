// What stands between the head of the panel and the messages: a question, the preview, the
// talk, a check.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Language } from "../../language.ts";
import type { Beside } from "../beside.ts";
import type { Check } from "../protocol.ts";
import { Asked, asks, checkOf, Elsewhere, Ended, Impossible, Preview, Waiting, Wish } from "./ask.tsx";
import { Awaited, CheckPanel, Consent, Verdict } from "./checkpanel.tsx";
import type { Facing } from "./facing.ts";
import { Talk } from "./talk.tsx";
import { words } from "./words.ts";

// News is what the script around the view has noticed.
export interface News {
  blocked: boolean; // the browser plays nothing before a gesture
  still: "" | "taken" | "failed";
  away: boolean; // the page was in the background
}

interface FaceViewProps {
  facing: Facing;
  link: Beside;
  news: News;
  language: Language;
  base: string; // the server's root
  draw(): void;
}

const over: readonly string[] = ["passed", "failed", "declined", "stopped"];

export function FaceView({ facing, link, news, language, base, draw }: FaceViewProps) {
  const w = words[language];
  const box = useRef<HTMLDivElement>(null);
  const u = facing.upgrade;
  const stage = facing.stage;
  const last = useLast(link.check);
  const check = link.check && !over.includes(link.check.state) ? link.check : null;
  const awaited = check !== null && check.state === "asked" && !asks(check);
  const early = awaited && u?.check === check.id; // its check is not asked for yet: both are by one card
  const waits = check !== null && asks(check) && check.agreed !== true;
  const raise = stage === "talk" && facing.raise && u !== null && u.by !== "customer";
  const within = u !== null && (stage === "asked" || raise) && checkOf(u, link) !== null; // one card asks for both
  const card = { facing, link, language, words: w, base };
  const pictures = stage === "talk" && u?.agreed === "video";
  const kind = pictures ? "pictures" : stage === "none" && !check && !last.check ? "" : "card";

  // The panel gives pictures more room than a card.
  useEffect(() => {
    const panel = box.current?.closest<HTMLElement>(".panel");
    if (!panel) return;
    if (kind) panel.dataset.face = kind;
    else delete panel.dataset.face;
    return () => {
      delete panel.dataset.face;
    };
  }, [kind]);

  // What was pressed may be gone by then: the focus stays here, not at the top of the page.
  const inside = useRef(false);
  useEffect(() => {
    const root = box.current?.getRootNode() as ShadowRoot | undefined;
    if (inside.current && root && root.activeElement === null) box.current?.focus();
  });

  return (
    <div
      ref={box}
      class="face-view"
      tabIndex={-1}
      onFocusIn={() => (inside.current = true)}
      onFocusOut={(e) => {
        if (e.relatedTarget instanceof Node && !box.current?.contains(e.relatedTarget)) inside.current = false;
      }}
    >
      {stage === "wish" && <Wish {...card} />}
      {stage === "waiting" && <Waiting {...card} />}
      {stage === "asked" && u && !early && <Asked {...card} upgrade={u} raise={false} />}
      {stage === "elsewhere" && <Elsewhere {...card} />}
      {stage === "impossible" && <Impossible {...card} />}
      {stage === "preview" && <Preview {...card} />}
      {stage === "talk" && u && <Talk {...card} upgrade={u} news={news} draw={draw} />}
      {raise && u && <Asked {...card} upgrade={u} raise />}
      {waits && !within && <Consent {...card} check={check} news={news} />}
      {awaited && <Awaited {...card} check={check} news={news} />}
      {check && !waits && !awaited && stage !== "asked" && stage !== "preview" && <CheckPanel {...card} check={check} news={news} />}
      {last.check && !check && <Verdict check={last.check} language={language} words={w} onPut={last.put} />}
      {stage === "ended" && !last.check && <Ended {...card} />}
    </div>
  );
}

// useLast keeps how a check ended, which the server tells once.
function useLast(check: Check | null): { check: Check | null; put(): void } {
  const [last, setLast] = useState<Check | null>(null);
  useEffect(() => {
    if (check && over.includes(check.state)) setLast(check);
    else if (check) setLast(null);
  }, [check]);
  return { check: last, put: () => setLast(null) };
}
