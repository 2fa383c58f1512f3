// How voice and pictures of a customer stand, in a line that says what can be done about it.
import { useState } from "preact/hooks";
import { Icon } from "../staff/icon.tsx";
import type { IconName } from "../staff/icon.tsx";
import { useKeysOf } from "../staff/keys.tsx";
import { span } from "../staff/time.ts";
import { useDesk, useHeld, useNow, useRun } from "./context.tsx";
import type { DialogName } from "./dialogs.tsx";
import { asks, ended, waits } from "./faces.ts";
import type { Level } from "./faces.ts";
import { keys } from "./keylist.ts";
import { runs } from "./sight.ts";
import { standingOf } from "./standing.ts";
import type { Mood } from "./standing.ts";
import { here, upgradeOf } from "./store.ts";
import type { Item } from "./store.ts";
import { useFaceWords } from "./words.ts";

const icons: Record<Mood, IconName> = { wait: "clock", ask: "people", good: "check", fallen: "warning", over: "chat" };

export function FaceStrip({ item, onDialog }: { item: Item; onDialog(name: DialogName): void }) {
  const w = useFaceWords();
  const { hold } = useDesk();
  const s = useHeld();
  const now = useNow();
  const run = useRun();
  const shown = useKeysOf();
  const [away, setAway] = useState(""); // the one that was put away
  const u = upgradeOf(s, item);
  if (!u || (ended(u) && (away === u.id || u.state === "withdrawn"))) return null;
  const { mood, text } = standingOf(u, s.name, w);
  const running = runs(u);
  const until = here(u.until, s.skew);
  const ask = (what: "approve" | "deny" | "end") => void run(hold.ask({ t: "upgrade", task: item.id, do: what }));
  const change = (level: Level) => void run(hold.ask({ t: "upgrade", task: item.id, do: "change", level }));
  return (
    <div class={`face-strip ${mood}`} role={mood === "ask" || mood === "fallen" ? "alert" : "status"} aria-label={w.strip} data-state={u.state}>
      {mood === "wait" ? <span class="spinner" aria-hidden="true" /> : <Icon name={mood === "good" ? (running === "video" ? "video" : "mic") : icons[mood]} />}
      <p>
        {text}
        {u.kept && !ended(u) && running !== "" && <span class="badge bad">{w.kept}</span>}
      </p>
      {(waits(u) || u.state === "sent") && until > now && (
        <span class="clock soft" aria-hidden="true">
          {w.answerIn(span((until - now) / 1000))}
        </span>
      )}
      <span class="face-strip-acts">
        {asks(u) ? (
          <>
            <button type="button" class="main accept small" onClick={() => ask("approve")}>
              <Icon name="check" />
              {w.approve}
              <kbd>{shown(keys.accept)}</kbd>
            </button>
            <button type="button" class="small" onClick={() => ask("deny")}>
              {w.deny}
              <kbd>{shown(keys.decline)}</kbd>
            </button>
          </>
        ) : ended(u) ? (
          <>
            {(u.state === "refused" || u.state === "lapsed" || ["lost", "agent", "full"].includes(u.why ?? "")) && (
              <button type="button" class="small" onClick={() => onDialog(u.level === "voice" ? "voice" : "video")}>
                {w.again}
              </button>
            )}
            <button type="button" class="small quiet" onClick={() => setAway(u.id)}>
              {w.dismiss}
            </button>
          </>
        ) : (
          <>
            {running === "video" && !u.pictures && (
              <button type="button" class="small" title={shown(keys.voice)} onClick={() => change("voice")}>
                <Icon name="videoOff" />
                {w.toVoice}
              </button>
            )}
            {running === "voice" && !waits(u) && (
              <button type="button" class="small" title={shown(keys.video)} onClick={() => (u.agreed === "video" ? change("video") : onDialog("video"))}>
                <Icon name="video" />
                {w.toVideo}
              </button>
            )}
            <button type="button" class="small danger" onClick={() => ask("end")}>
              {(u.state === "asked" || u.state === "sent") && running === "" ? w.takeBack : u.pictures ? w.endPictures : running === "video" ? w.endVideo : w.endIt}
            </button>
          </>
        )}
      </span>
    </div>
  );
}
