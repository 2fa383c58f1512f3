// What is being worked on: offers on top, calls for as long as they last, chats side by side
// as far as there is room, or one thing of any other kind.
import { useEffect, useRef, useState } from "preact/hooks";
import { CallPanel } from "./callpanel.tsx";
import { Chat } from "./chat.tsx";
import { useDesk, useHeld } from "./context.tsx";
import type { DialogName } from "./dialogs.tsx";
import { Offer } from "./offer.tsx";
import { Joined } from "./guest.tsx";
import { Callback, TicketView, Voicemail } from "./other.tsx";
import { isCall, isTalk } from "./protocol.ts";
import { needsRoom } from "./facebody.tsx";
import { SecondPanel } from "./check/second.tsx";
import { listed, secondsWanted } from "./store.ts";
import type { Item, State } from "./store.ts";
import { useDeskWords } from "./words.ts";
import { Wrap } from "./wrap.tsx";

const column = 290; // pixels that a chat needs at least
const mostColumns = 3;

export function Work({ onDialog }: { onDialog(name: DialogName): void }) {
  const w = useDeskWords();
  const { chosen } = useDesk();
  const s = useHeld();
  const root = useRef<HTMLElement>(null);
  const room = useRoom(root);
  const items = listed(s);
  const item = items.find((i) => i.id === chosen);
  const calls = items.filter((i) => i.stage === "assigned" && isCall(i.kind));
  const own = new Set(items.map((i) => i.id));
  const joined = Object.values(s.talks).filter((t) => !own.has(t.task) && !t.parties.some((p) => p.name === s.name && p.state === "ringing")); // asked in by others
  const chats = beside(s, items, chosen, room);
  const seconds = secondsWanted(s);
  return (
    <main class="desk-work" id="work" tabIndex={-1} ref={root}>
      {items
        .filter((i) => i.stage === "offered")
        .map((i) => (
          <Offer key={`${i.id} ${i.fence}`} item={i} small={i.id !== chosen} />
        ))}
      {calls.map((i) => (
        <CallPanel key={i.id} item={i} onDialog={onDialog} />
      ))}
      {seconds.map((c) => (
        <SecondPanel key={c.id} check={c} />
      ))}
      {joined.map((t) => (
        <Joined key={t.task} talk={t} />
      ))}
      {chats.length > 0 ? (
        <div class="chats" data-columns={chats.length}>
          {chats.map((i) => (
            <Chat key={i.id} item={i} onDialog={onDialog} />
          ))}
        </div>
      ) : (
        item && item.stage !== "offered" && <One key={`${item.id} ${item.stage}`} item={item} onDialog={onDialog} />
      )}
      {!item && joined.length === 0 && seconds.length === 0 && calls.length === 0 && <p class="empty">{w.nothingChosen}</p>}
    </main>
  );
}

function One({ item, onDialog }: { item: Item; onDialog(name: DialogName): void }) {
  if (item.stage === "wrapping") return <Wrap item={item} onDialog={onDialog} />;
  if (item.kind === "voicemail") return <Voicemail item={item} />;
  if (item.kind === "ticket") return <TicketView item={item} />;
  return item.kind === "callback" ? <Callback item={item} /> : null; // a call is on top already
}

// beside are the chats that are shown next to each other: the chosen one, and as many of the
// others as there is room for, where they stand in the list. Below a call or an offer there are
// all, those of the same customer first; one with pictures or a check has the room to itself.
function beside(s: State, items: readonly Item[], chosen: string, room: number): Item[] {
  const item = items.find((i) => i.id === chosen);
  const same = (i: Item) => (i.task?.interaction === item?.task?.interaction ? 0 : 1);
  const chats = items.filter((i) => i.stage === "assigned" && isTalk(i.kind));
  if (needsRoom(s, item)) return chats.filter((i) => i.id === chosen);
  const at = chats.findIndex((i) => i.id === chosen);
  const offered = items.some((i) => i.id === chosen && i.stage === "offered");
  const calling = items.some((i) => i.id === chosen && i.stage === "assigned" && isCall(i.kind));
  if (at < 0) return calling || offered ? [...chats].sort((a, b) => same(a) - same(b)).slice(0, room) : [];
  const from = Math.max(0, Math.min(at, chats.length - room));
  return chats.slice(from, from + room);
}

function useRoom(root: { current: HTMLElement | null }): number {
  const [room, setRoom] = useState(1);
  useEffect(() => {
    if (!root.current) return;
    const look = new ResizeObserver(([e]) => e && setRoom(Math.max(1, Math.min(mostColumns, Math.floor(e.contentRect.width / column)))));
    look.observe(root.current);
    return () => look.disconnect();
  }, []);
  return room;
}
