// Asks a customer for voice or video, or sends a caller the link to a page with pictures: with
// the reason that they read.
import { useState } from "preact/hooks";
import { Dialog } from "../staff/dialog.tsx";
import { useChanges, useDesk, useRun } from "./context.tsx";
import { isCall } from "./protocol.ts";
import type { Item } from "./store.ts";
import { useFaceWords } from "./words.ts";

const longest = 200; // characters that the customer reads

export function AskFaceDialog({ item, level, onClose, onSound }: { item: Item; level: "voice" | "video"; onClose(): void; onSound(): void }) {
  const w = useFaceWords();
  const { hold, seat } = useDesk();
  const run = useRun();
  useChanges(seat);
  const screen = isCall(item.kind);
  const what = screen ? "screen" : level;
  const [why, setWhy] = useState(w.whys[level === "voice" ? "talk" : "see"]!);
  const deaf = !screen && seat.state !== "up";
  const go = async (e: Event) => {
    e.preventDefault();
    const said = why.trim();
    const preset = Object.keys(w.whys).find((key) => w.whys[key] === said); // the customer reads it in their language
    if (await run(hold.ask({ t: "upgrade", task: item.id, do: "ask", level, why: preset ?? said }))) onClose();
  };
  return (
    <Dialog title={w.askTitles[what]!} onClose={onClose}>
      <form class="form" onSubmit={(e) => void go(e)}>
        <p class="soft">{w.askWhat[what]}</p>
        {deaf && (
          <p class="stage-note warn">
            <span>{w.noSeat}</span>
            <button type="button" class="small" onClick={onSound}>
              {w.setUp}
            </button>
          </p>
        )}
        <div class="field">
          <label for="face-why">{w.why}</label>
          <input id="face-why" maxLength={longest} value={why} onInput={(e) => setWhy(e.currentTarget.value)} />
          <span class="chips">
            {Object.entries(w.whys).map(([key, words]) => (
              <button key={key} type="button" class="small quiet" aria-pressed={why === words} onClick={() => setWhy(words)}>
                {words}
              </button>
            ))}
          </span>
        </div>
        <div class="actions">
          <button type="submit" class="main">
            {screen ? w.sendScreen : w.ask}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
