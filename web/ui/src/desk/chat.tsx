// One talk by chat or SMS: what was said, what is being said, and what can be done.
import { useEffect } from "preact/hooks";
import { Icon } from "../staff/icon.tsx";
import { useKeysOf } from "../staff/keys.tsx";
import { TalkKeys } from "./callpanel.tsx";
import { Composer } from "./composer.tsx";
import { useDesk, useHeld, useNow, useRun } from "./context.tsx";
import type { DialogName } from "./dialogs.tsx";
import { settled } from "./faces.ts";
import { FaceBody } from "./facebody.tsx";
import { keys } from "./keylist.ts";
import type { KeyName } from "./keylist.ts";
import { iconOf } from "./list.tsx";
import { Lines } from "./messages.tsx";
import { nameOf, useView } from "./names.ts";
import { runs } from "./sight.ts";
import { checkOf, types, upgradeOf } from "./store.ts";
import type { Item } from "./store.ts";
import { useDeskWords, useFaceWords } from "./words.ts";
import type { IconName } from "../staff/icon.tsx";

export function Chat({ item, onDialog }: { item: Item; onDialog(name: DialogName): void }) {
  const w = useDeskWords();
  const fw = useFaceWords();
  const { hold, chosen, choose } = useDesk();
  const s = useHeld();
  const now = useNow();
  const run = useRun();
  const shown = useKeysOf();
  const { view } = useView(item.id);
  const name = nameOf(view, w);
  const upgrade = upgradeOf(s, item);
  const running = runs(upgrade);
  const check = checkOf(s, item);
  const talk = s.talks[item.id];
  const mine = chosen === item.id;
  const last = s.logs[item.id]?.list.at(-1)?.seq;
  const page = usePageSeen();
  // What is on screen in a page that is in front has been looked at.
  useEffect(() => {
    if (page) hold.look(item.id);
  }, [page, last, item.id]);
  const open = (dialog: DialogName) => (choose(item.id), onDialog(dialog));
  const act = (icon: IconName, of: KeyName, label: string, onDo: () => void) => (
    <button type="button" class="quiet" aria-label={label} title={`${label} (${shown(keys[of])})`} onClick={onDo}>
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  );
  return (
    <section class={`chat ${mine ? "chosen" : ""}`} aria-label={w.chatWith(name)} data-task={item.id} onFocusCapture={() => !mine && choose(item.id)}>
      <header class="chat-head">
        <Icon name={iconOf[item.kind]} />
        <h2>
          {name} <span class="soft">{item.task?.queue}</span>
        </h2>
        <span class="chat-acts" role="toolbar" aria-label={w.chatWith(name)}>
          {item.kind === "sms" ? (
            <button type="button" class="quiet" aria-label={fw.callThem} title={fw.callThemWhat} onClick={() => void run(hold.ask({ t: "place", interaction: item.task?.interaction ?? "" }))}>
              <Icon name="phone" />
              <span>{fw.callThem}</span>
            </button>
          ) : (
            running === "" && act("mic", "voice", fw.voice, () => open("voice"))
          )}
          {running !== "video" && act("video", "video", fw.video, () => (upgrade?.agreed === "video" && running === "voice" ? void run(hold.ask({ t: "upgrade", task: item.id, do: "change", level: "video" })) : open("video")))}
          {(!check || settled(check)) && act("shield", "check", fw.check, () => open("check"))}
          {act("link", "link", w.sendLink, () => open("link"))}
          {act("swap", "move", w.move, () => open("move"))}
          {act("right", "transfer", w.transfer, () => open("transfer"))}
          {act("flow", "handBack", w.handBack, () => open("handBack"))}
          {act("run", "ask", w.askFlow, () => open("ask"))}
          <button type="button" class="small" title={`${w.finish} (${shown(keys.finish)})`} onClick={() => void run(hold.ask({ t: "release", task: item.id, fence: item.fence }))}>
            <Icon name="check" />
            {w.finish}
          </button>
        </span>
      </header>
      <FaceBody item={item} onDialog={open} talk={talk && <TalkKeys item={item} talk={talk} pictures={running === "video"} onDialog={open} />}>
        <Lines task={item.id} live />
        <LinkStrip task={item.id} />
        <p class="typing-line" aria-live="off">
          {types(s, item.id, now) ? `${name} ${w.typing}` : ""}
        </p>
        <Composer item={item} />
      </FaceBody>
    </section>
  );
}

// LinkStrip watches the links that the customer has.
function LinkStrip({ task }: { task: string }) {
  const w = useDeskWords();
  const s = useHeld();
  const links = (s.links[task] ?? []).filter((l) => l.operation);
  if (links.length === 0) return null;
  return (
    <ul class="link-strip" aria-label={w.links}>
      {links.map((l) => (
        <li key={l.id} class={l.state}>
          <Icon name="link" />
          {l.operation} <span class={`badge ${l.state === "done" ? "good" : l.state === "opened" ? "warn" : ""}`}>{w.linkStates[l.state] ?? l.state}</span>
        </li>
      ))}
    </ul>
  );
}

function usePageSeen(): boolean {
  const { hold } = useDesk();
  useEffect(() => {
    const run = () => hold.poke();
    window.addEventListener("focus", run);
    document.addEventListener("visibilitychange", run);
    return () => {
      window.removeEventListener("focus", run);
      document.removeEventListener("visibilitychange", run);
    };
  }, [hold]);
  return !document.hidden && document.hasFocus();
}
