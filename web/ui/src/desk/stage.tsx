// The pictures of a talk: the customer large, the others small, oneself in a corner; what of
// one's own is shown is switched below them.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Loudness } from "../face/level.ts";
import { Tiles } from "../face/tiles.tsx";
import "../face/tiles.shadow.css";
import { Icon } from "../staff/icon.tsx";
import { useKeysOf } from "../staff/keys.tsx";
import { useLanguage } from "../staff/settings.tsx";
import { useChanges, useDesk, useHeld, useRun } from "./context.tsx";
import type { Upgrade } from "./faces.ts";
import { keys } from "./keylist.ts";
import type { Talk } from "./protocol.ts";
import { tilesOf } from "./standing.ts";
import { useFaceWords } from "./words.ts";

interface StageProps {
  interaction: string;
  customer: string; // their name
  upgrade: Upgrade | undefined;
  talk: Talk | undefined;
}

export function Stage({ interaction, customer, upgrade, talk }: StageProps) {
  const w = useFaceWords();
  const language = useLanguage();
  const { sights } = useDesk();
  const s = useHeld();
  const shown = useKeysOf();
  const run = useRun();
  useChanges(sights);
  const speaking = useSpeaking(talk);
  const [pinned, setPinned] = useState("");
  const [large, setLarge] = useState(false);
  const sight = sights.of(interaction);
  const track = sight?.own ?? null;
  const own = useMemo(() => (track ? new MediaStream([track]) : null), [track]);
  if (!sight) return null;
  if (sight.elsewhere) {
    return (
      <p class="stage-note">
        <Icon name="video" />
        <span>{w.elsewhere}</span>
        <button type="button" onClick={() => sight.here()}>
          {w.seeHere}
        </button>
      </p>
    );
  }
  const tiles = tilesOf(upgrade, talk, { state: sight.state, shown: sight.shown, came: sight.came, allowed: sight.allowed, cam: sight.cam, on: sight.on, own }, { me: s.name, customer, speaking });
  const note = sight.state === "cut" || sight.state === "gone" ? w.cut : sight.on && sight.allowed.camera && sight.cam in w.cams ? w.cams[sight.cam]! : sight.screen ? w.sharing : "";
  return (
    <div class={`stage ${large ? "wide" : ""}`} role="group" aria-label={w.stage}>
      <div class="stage-tiles">
        <Tiles tiles={tiles} language={language} layout="stage" chosen={pinned} onChoose={setPinned} />
      </div>
      {note && (
        <p class={`stage-note ${sight.screen && note === w.sharing ? "" : "warn"}`} role="status">
          {note}
        </p>
      )}
      <div class="stage-keys" role="toolbar" aria-label={w.stage}>
        <button type="button" class="small stage-large" aria-pressed={large} title={`${w.large} (${shown(keys.large)})`} onClick={() => setLarge(!large)}>
          <Icon name="fit" />
          {w.large}
        </button>
        {sight.allowed.camera && (
          <button type="button" class="small" aria-pressed={sight.on} title={`${w.camera} (${shown(keys.camera)})`} onClick={() => sight.camera(!sight.on)}>
            <Icon name={sight.on ? "video" : "videoOff"} />
            {sight.on ? w.cameraOff : w.cameraOn}
          </button>
        )}
        {sight.allowed.display && (
          <button type="button" class="small" aria-pressed={sight.screen !== null} title={`${w.share} (${shown(keys.share)})`} onClick={() => void run(sight.share(sight.screen === null))}>
            <Icon name="display" />
            {sight.screen ? w.unshare : w.share}
          </button>
        )}
      </div>
      {sight.state === "up" && !sight.allowed.camera && !sight.allowed.display && <p class="stage-note">{w.notAllowedToShow}</p>}
    </div>
  );
}

const lookEvery = 120; // milliseconds between looks at who speaks
const speech = 0.08; // of the level, from which somebody is taken to speak
const lasts = 600; // milliseconds for which a sign stays, so that it does not flicker

// useSpeaking tells who speaks: oneself by the microphone, the other by what is heard. The
// voices come mixed, so of several others nobody is marked.
function useSpeaking(talk: Talk | undefined): (leg: string) => boolean {
  const { seat } = useDesk();
  const s = useHeld();
  useChanges(seat);
  const [now, setNow] = useState({ me: false, other: false });
  const last = useRef({ me: 0, other: 0 });
  const remote = seat.remote;
  const here = talk !== undefined;
  useEffect(() => {
    if (!here) return;
    const track = remote?.getAudioTracks()[0];
    const ear = track ? new Loudness(track) : null;
    const timer = window.setInterval(() => {
      const at = performance.now();
      if (seat.level() > speech) last.current.me = at;
      if (ear && (ear.level(), ear.speaking)) last.current.other = at;
      const next = { me: last.current.me > 0 && at - last.current.me < lasts, other: last.current.other > 0 && at - last.current.other < lasts };
      setNow((was) => (was.me === next.me && was.other === next.other ? was : next));
    }, lookEvery);
    return () => {
      window.clearInterval(timer);
      ear?.close();
    };
  }, [seat, remote, here]);
  const others = (talk?.parties ?? []).filter((p) => p.name !== s.name && p.state === "joined" && !p.muted && !p.held);
  return (leg) => {
    const p = talk?.parties.find((x) => x.leg === leg);
    if (!p || p.muted || p.held) return false;
    return p.name === s.name && p.role !== "customer" ? now.me : now.other && others.length === 1 && others[0] === p;
  };
}
