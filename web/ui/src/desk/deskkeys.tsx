// All keys of the desk. They hold wherever the focus is; offers and mute in dialogs, too.
import { useShortcuts } from "../staff/keys.tsx";
import type { Shortcut } from "../staff/keys.tsx";
import { can } from "./can.ts";
import { useDesk, useHeld, useRun } from "./context.tsx";
import { asks, settled } from "./faces.ts";
import type { DialogName } from "./dialogs.tsx";
import type { Pane } from "./floor.tsx";
import { keys } from "./keylist.ts";
import { otherPresence } from "./presence.tsx";
import { isCall, isTalk } from "./protocol.ts";
import { runs } from "./sight.ts";
import { checkOf, guestOf, itemOf, listed, upgradeOf } from "./store.ts";
import { useDeskWords, useFaceWords } from "./words.ts";

export function DeskKeys({ onDialog, onPane }: { onDialog(name: DialogName): void; onPane(pane: Pane): void }) {
  const w = useDeskWords();
  const fw = useFaceWords();
  const { hold, sights, standing, chosen, choose } = useDesk();
  const s = useHeld();
  const run = useRun();
  const items = listed(s);
  const item = itemOf(s, chosen);
  const offer = item?.stage === "offered" ? item : items.find((i) => i.stage === "offered");
  const invite = Object.values(s.invites)[0];
  const calls = items.filter((i) => i.stage === "assigned" && (isCall(i.kind) || s.talks[i.id]));
  const call = item && calls.includes(item) ? item : calls[0]; // keys of a call are for the one there is
  const guest = Object.values(s.talks).find((t) => guestOf(s, t.task)); // a talk of somebody else's
  const talk = call ? s.talks[call.id] : guest;
  const may = can(talk, s.name);
  const busy = item?.stage === "assigned";
  const asking = [item, ...items].find((i) => i?.stage === "assigned" && asks(upgradeOf(s, i))); // a customer who would like to speak
  const sight = (item && sights.of(item.task?.interaction ?? "")) ?? Object.values(s.talks).map((t) => sights.of(t.interaction)).find((x) => x);

  const answer = (accept: boolean) => {
    if (offer) {
      if (accept) choose(offer.id);
      void run(hold.ask(accept ? { t: "accept", task: offer.id, fence: offer.fence } : { t: "decline", task: offer.id, fence: offer.fence }));
    } else if (invite) void run(hold.ask({ t: "invite", invite: invite.id, accept }));
    else if (asking) void run(hold.ask({ t: "upgrade", task: asking.id, do: accept ? "approve" : "deny" }));
  };
  const doing = (what: string, when = true) => {
    if (talk && when && (call || what === "mute" || what === "unmute")) void run(hold.ask({ t: "call", task: talk.task, do: what }));
  };
  const dialog = (name: DialogName, of = item) => {
    if (!of || of.stage !== "assigned") return;
    choose(of.id);
    onDialog(name);
  };
  // voice and video ask for what is not there, and go up or down where it was agreed to.
  const face = (level: "voice" | "video") => {
    if (!item || !busy || !(isTalk(item.kind) || (isCall(item.kind) && level === "video"))) return;
    const upgrade = upgradeOf(s, item);
    const now = runs(upgrade);
    if (now === level) return;
    if (now !== "" && (level === "voice" || upgrade?.agreed === "video")) return void run(hold.ask({ t: "upgrade", task: item.id, do: "change", level }));
    if (upgrade?.state !== "asked" && upgrade?.state !== "sent") dialog(level);
  };
  const check = () => {
    const open = item && checkOf(s, item);
    if (open && !settled(open)) document.getElementById(`check-${open.id}`)?.focus();
    else if (item && (isTalk(item.kind) || isCall(item.kind))) dialog("check");
  };
  const step = (by: number) => {
    if (items.length === 0) return;
    const at = items.findIndex((i) => i.id === chosen);
    choose(items[(at + by + items.length) % items.length]!.id);
  };
  const focus = (pane: Pane, id: string) => {
    onPane(pane);
    requestAnimationFrame(() => document.getElementById(id)?.focus());
  };
  const toWork = () => {
    onPane("work");
    requestAnimationFrame(() => (document.querySelector<HTMLElement>(".chat.chosen .say, .desk-work .offer .accept, .desk-work .wrap input") ?? document.getElementById("work"))?.focus());
  };
  const finish = () => {
    const wrap = document.getElementById("wrap-form");
    if (item?.stage === "wrapping" && wrap instanceof HTMLFormElement) return wrap.requestSubmit();
    if (item?.stage === "assigned") void run(hold.ask({ t: "release", task: item.id, fence: item.fence }));
  };
  const note = () => {
    onPane(item?.stage === "wrapping" ? "work" : "customer");
    requestAnimationFrame(() => (document.getElementById("note") ?? document.querySelector<HTMLElement>(".wrap .note-form textarea"))?.focus());
  };
  const replies = () => {
    const field = document.querySelector<HTMLTextAreaElement>(".chat.chosen .say");
    if (!field || !item || !isTalk(item.kind)) return;
    field.focus();
    if (field.value === "") {
      field.value = "/";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const list: Shortcut[] = [
    { ...keys.accept, what: w.accept, group: w.keysOffers, always: true, run: () => answer(true) },
    { ...keys.decline, what: w.decline, group: w.keysOffers, always: true, run: () => answer(false) },
    { ...keys.next, what: w.keyNext, group: w.keysList, run: () => step(1) },
    { ...keys.previous, what: w.keyPrevious, group: w.keysList, run: () => step(-1) },
    { keys: "Alt+1 … Alt+9", what: w.keyNth, group: w.keysList },
    ...Array.from({ length: 9 }, (_, n): Shortcut => ({ keys: `Alt+${n + 1}`, what: "", group: "", run: () => items[n] && choose(items[n].id) })),
    { ...keys.hold, what: `${w.hold} / ${w.resume}`, group: w.keysCalls, run: () => (may.held ? doing("resume") : doing("hold", may.hold)) },
    { ...keys.mute, what: `${w.mute} / ${w.unmute}`, group: w.keysCalls, always: true, run: () => doing(may.muted ? "unmute" : "mute", talk !== undefined) },
    { ...keys.keypad, what: w.keypad, group: w.keysCalls, run: () => may.keys && dialog("keypad", call) },
    { ...keys.consult, what: w.consult, group: w.keysCalls, run: () => may.consult && dialog("consult", call) },
    { ...keys.swap, what: w.swap, group: w.keysCalls, run: () => doing("swap", may.both) },
    { ...keys.merge, what: w.merge, group: w.keysCalls, run: () => doing("merge", may.both && !may.merged) },
    { ...keys.complete, what: w.complete, group: w.keysCalls, run: () => doing("complete", may.both) },
    { ...keys.drop, what: w.drop, group: w.keysCalls, run: () => doing("drop", may.consulting) },
    { ...keys.transfer, what: w.transfer, group: w.keysChats, run: () => dialog("transfer") },
    { ...keys.handBack, what: w.handBack, group: w.keysChats, run: () => dialog("handBack") },
    { ...keys.ask, what: w.askFlow, group: w.keysChats, run: () => dialog("ask") },
    { ...keys.takeOver, what: w.takeOver, group: w.keysChats, run: () => item && item.stage !== "offered" && onDialog("takeOver") },
    { ...keys.finish, what: `${w.finish} / ${w.hangUp} / ${w.wrapFinish}`, group: w.keysChats, run: finish },
    { ...keys.note, what: w.note, group: w.keysChats, run: note },
    { ...keys.replies, what: w.keyReplies, group: w.keysChats, run: replies },
    { ...keys.link, what: w.sendLink, group: w.keysChats, run: () => dialog("link") },
    { ...keys.move, what: w.moveTitle, group: w.keysChats, run: () => busy && dialog("move") },
    { ...keys.voice, what: fw.voice, group: fw.group, run: () => face("voice") },
    { ...keys.video, what: fw.keyVideo, group: fw.group, run: () => face("video") },
    { ...keys.check, what: fw.check, group: fw.group, run: check },
    { ...keys.large, what: fw.large, group: fw.group, run: () => document.querySelector<HTMLButtonElement>(".chosen .stage-large, .stage-large")?.click() },
    { ...keys.camera, what: `${fw.cameraOn} / ${fw.cameraOff}`, group: fw.group, run: () => sight?.allowed.camera && sight.camera(!sight.on) },
    { ...keys.share, what: `${fw.share} / ${fw.unshare}`, group: fw.group, run: () => sight?.allowed.display && void run(sight.share(sight.screen === null)) },
    { ...keys.list, what: w.keyToList, group: w.keysPage, run: () => focus("list", "list") },
    { ...keys.work, what: w.keyWork, group: w.keysPage, run: toWork },
    { ...keys.customer, what: w.keyCustomer, group: w.keysPage, run: () => focus("customer", "customer") },
    { ...keys.place, what: w.place, group: w.keysPage, run: () => onDialog("place") },
    {
      ...keys.presence, what: w.keyPresence, group: w.keysPage,
      run() {
        const { presence, reason } = otherPresence(s.me, standing);
        void run(hold.presence(presence, reason));
      },
    },
    { ...keys.sound, what: w.keySound, group: w.keysPage, run: () => onDialog("sound") },
  ];
  useShortcuts(list);
  return null;
}
