// What stands below the head of a customer's panel: voice and pictures, the identity check,
// and the chat, which goes on beside or below them whatever becomes of the others.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { CheckPanel } from "./check/panel.tsx";
import { useHeld } from "./context.tsx";
import type { DialogName } from "./dialogs.tsx";
import { FaceStrip } from "./facestrip.tsx";
import { nameOf, useView } from "./names.ts";
import { runs } from "./sight.ts";
import { Stage } from "./stage.tsx";
import { checkOf, unread, upgradeOf } from "./store.ts";
import type { Item, State } from "./store.ts";
import { useDeskWords, useFaceWords } from "./words.ts";

interface FaceBodyProps {
  item: Item;
  onDialog(name: DialogName): void;
  talk?: ComponentChildren; // who is in the talk, and its keys
  children: ComponentChildren; // the chat
}

type Tab = "chat" | "check";

export function FaceBody({ item, onDialog, talk, children }: FaceBodyProps) {
  const w = useFaceWords();
  const dw = useDeskWords();
  const s = useHeld();
  const { view } = useView(item.id);
  const upgrade = upgradeOf(s, item);
  const check = checkOf(s, item);
  const [tab, setTab] = useState<Tab>("check");
  useEffect(() => setTab("check"), [check?.id]);
  const pictures = runs(upgrade) === "video";
  const more = unread(s, item.id);
  return (
    <div class={`face-body ${pictures ? "pictures" : ""} ${check ? "checked" : ""}`} data-tab={check ? tab : "chat"}>
      <div class="lead-side">
        <div class="face-side">
          <FaceStrip item={item} onDialog={onDialog} />
          {talk}
          {pictures && <Stage interaction={item.task?.interaction ?? ""} customer={nameOf(view, dw)} upgrade={upgrade} talk={s.talks[item.id]} />}
        </div>
        {check && (
          <div class="face-tabs" role="group" aria-label={w.checkTabs}>
            {(["check", "chat"] as const).map((t) => (
              <button key={t} type="button" aria-pressed={tab === t} onClick={() => setTab(t)}>
                {t === "chat" ? w.tabChat : w.tabCheck}
                {t === "chat" && tab !== "chat" && more > 0 && (
                  <span class="badge bad">
                    <span aria-hidden="true">{more}</span>
                    <span class="unseen">{dw.unread(more)}</span>
                  </span>
                )}
              </button>
            ))}
          </div>
        )}
        {check && (
          <div class="check-side">
            <CheckPanel item={item} check={check} />
          </div>
        )}
      </div>
      <div class="talk-side">{children}</div>
    </div>
  );
}

// needsRoom tells whether something has pictures or a check, and wants the width of the desk.
export function needsRoom(s: State, item: Item | undefined): boolean {
  if (!item || item.stage !== "assigned") return false;
  return runs(upgradeOf(s, item)) === "video" || checkOf(s, item) !== undefined;
}
