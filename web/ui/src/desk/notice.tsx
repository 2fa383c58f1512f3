// Makes what happens noticed: offers ring and flash, screen readers are told of offers and
// messages, and what ended says why.
import { useEffect, useRef, useState } from "preact/hooks";
import { useAnnounce } from "../staff/announce.tsx";
import { span } from "../staff/time.ts";
import { useDesk, useHeld } from "./context.tsx";
import type { Pane } from "./floor.tsx";
import { notify } from "./ring.ts";
import { sinkTo } from "./sound.tsx";
import { here, itemOf, listed, unread } from "./store.ts";
import type { News, State } from "./store.ts";
import { asks } from "./faces.ts";
import type { Upgrade } from "./faces.ts";
import { useDeskWords, useFaceWords } from "./words.ts";
import type { DeskWords, FaceWords } from "./words.ts";
import type { World } from "./world.ts";

export function Notice({ world, onPane }: { world: World; onPane(pane: Pane): void }) {
  const w = useDeskWords();
  const fw = useFaceWords();
  const announce = useAnnounce();
  const { chosen, choose } = useDesk();
  const s = useHeld();
  const [polite, setPolite] = useState("");
  const [urgent, setUrgent] = useState("");
  const { hold, ring, flash, kept, sound } = world;
  const up = useRef(false);

  // Ring as long as something is offered.
  const offers = listed(s).filter((i) => i.stage === "offered");
  const asks = Object.values(s.invites);
  const rings = offers[0] ? `${offers[0].id} ${offers[0].fence}` : asks[0] ? asks[0].id : "";
  useEffect(() => {
    if (rings === "") ring.stop();
    else ring.start(rings);
  }, [rings, ring]);
  useEffect(() => () => ring.stop(), [ring]);

  const more = listed(s).reduce((n, i) => n + unread(s, i.id), 0);
  const calling = offers.length + asks.length;
  useEffect(() => {
    flash.show(w.titled, calling > 0 ? w.titleOffer(calling) : more > 0 ? w.titleUnread(more) : "");
  }, [flash, w, calling, more]);

  useEffect(() => {
    const { ring: device = "", volume = 0.6, speaker = "" } = kept.devices();
    ring.set(device, volume);
    if (speaker) void sinkTo(sound, speaker);
    const touched = () => {
      ring.touch();
      if (sound.srcObject && sound.paused) void sound.play().catch(() => {});
    };
    ring.prepare(); // the browser may let it sound already
    document.addEventListener("click", touched); // no sooner: the banner goes, and what is below moves
    document.addEventListener("keydown", touched);
    return () => {
      document.removeEventListener("click", touched);
      document.removeEventListener("keydown", touched);
    };
  }, [ring, kept, sound]);

  const latest = useRef({ w, fw, chosen, choose, announce, onPane });
  latest.current = { w, fw, chosen, choose, announce, onPane };
  useEffect(() => {
    const away = new Map<string, () => void>(); // notes by the system, by task
    world.onNews.run = (news) => {
      const { w, fw, announce, choose, onPane } = latest.current;
      for (const n of news) {
        const say = saidOf(n, hold.state, w, fw, hold.now());
        if (say?.urgent) setUrgent(say.text);
        else if (say) setPolite(say.text);
        if (say?.seen) announce(say.text, say.bad ? "bad" : "good");
        if (n.what === "offer") {
          if (!ring.ringing) ring.start(`${n.task} ${itemOf(hold.state, n.task)?.fence ?? 0}`); // before anything is drawn
          away.set(n.task, notify(w.titleOffer(1), say?.text ?? "", n.task));
          // What rings first is what the key takes; nothing that is in work gives way to it.
          const here = itemOf(hold.state, latest.current.chosen);
          if (!here || (here.stage === "offered" && listed(hold.state)[0]?.id === n.task)) choose(n.task);
        }
        if (n.what === "offer_over" || n.what === "assigned") {
          away.get(n.task)?.();
          away.delete(n.task);
        }
        if (n.what === "assigned") choose(n.task), onPane("work");
      }
    };
    return () => {
      world.onNews.run = () => {};
      for (const close of away.values()) close();
    };
  }, [world, hold, ring]);

  // The banner says that the connection is lost; that it is back is said here.
  const { state } = hold.wire;
  useEffect(() => {
    if (state === "lost") up.current = true;
    else if (state === "up" && up.current) {
      up.current = false;
      announce(w.back);
    }
  }, [state]);
  return (
    <>
      <p class="unseen" aria-live="polite" id="said">
        {polite}
      </p>
      <p class="unseen" aria-live="assertive" id="said-now">
        {urgent}
      </p>
    </>
  );
}

interface Saying {
  text: string;
  urgent?: boolean; // interrupts what is being read out
  seen?: boolean; // also as a note in the corner
  bad?: boolean;
}

// saidOf is what happened in a sentence, if it is worth one.
function saidOf(n: News, s: State, w: DeskWords, fw: FaceWords, now: number): Saying | null {
  switch (n.what) {
    case "offer": {
      const item = itemOf(s, n.task);
      const arrived = here(item?.task?.arrived, s.skew);
      return { text: w.news.offer(w.kinds[n.kind] ?? n.kind, item?.task?.queue ?? "", span((now - arrived) / 1000)), urgent: true };
    }
    case "invite":
      return { text: w.news.invite(n.invite.from), urgent: true };
    case "invite_over":
      return n.why === "accepted" || !w.over[n.why] ? null : { text: w.over[n.why]!, seen: true };
    case "offer_over":
      return n.why === "declined" || !w.over[n.why] ? null : { text: w.over[n.why]!, seen: true, bad: n.why === "lapsed" || n.why === "unreachable" };
    case "gone":
      return w.gone[n.why] ? { text: w.gone[n.why]!, seen: true, bad: n.why === "lost" || n.why === "crash" } : null;
    case "message":
      return n.message.from === "customer" ? { text: w.news.message(n.message.name ?? w.senders["customer"]!, n.message.secret ? w.hiddenText : n.message.text || w.showPicture) } : null;
    case "whisper":
      return { text: w.news.whisper(n.from, n.text), seen: true };
    case "asked":
      return { text: w.askDone(n.step.replaceAll("_", " "), n.outcome), seen: true };
    case "wrap":
      return { text: w.news.wrap };
    case "upgrade":
      return upgradeSaid(n.before, n.upgrade, fw);
    case "check":
      if (n.check.state === "second" && n.before?.state !== "second" && n.check.officer !== s.name) return { text: fw.news.checkSecond(n.check.officer ?? ""), urgent: true, seen: true };
      return n.before?.state === "asked" && n.check.state === "running" ? { text: fw.news.checkAgreed } : null;
    case "role_link":
      return n.link.used_by ? { text: fw.news.linkUsed(n.link.used_by), seen: true } : null;
    case "link":
      return { text: w.news.link(w.linkOf(n.link.operation || n.link.by), w.linkStates[n.link.state] ?? n.link.state), seen: n.link.state !== "made" && n.link.state !== "sent" };
    default:
      return null;
  }
}

// upgradeSaid is what of voice and pictures is worth a sentence; the panel shows the rest.
function upgradeSaid(before: Upgrade | null, u: Upgrade, w: FaceWords): Saying | null {
  if (asks(u) && !asks(before ?? undefined)) return { text: w.news.customerAsks(u.level), urgent: true, seen: true };
  if (u.state === "agreed" && before?.state === "asked") return { text: w.news.agreed };
  if (u.fallen === "network" && before?.fallen !== "network") return { text: u.now === "" && !u.pictures ? w.news.fallenAll : w.news.fallen };
  return before?.fallen && !u.fallen && u.state === "up" ? { text: w.news.back } : null;
}
