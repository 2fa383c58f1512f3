// The talk: pictures over the chat, or a bar while there is sound alone; what goes wrong, in
// words; and the controls.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Language } from "../../language.ts";
import { onPhone, thisBrowser } from "../../face/browser.ts";
import { Loudness } from "../../face/level.ts";
import { PermissionHelp } from "../../face/permission.tsx";
import { Tiles } from "../../face/tiles.tsx";
import type { NoPicture, Tile } from "../../face/tiles.tsx";
import type { Beside } from "../beside.ts";
import type { Upgrade } from "../protocol.ts";
import { Devices, Trouble } from "./ask.tsx";
import { guideOf } from "./checkpanel.tsx";
import { rank } from "./facing.ts";
import type { Facing, VoiceLike } from "./facing.ts";
import { Icon } from "./icon.tsx";
import type { News } from "./view.tsx";
import type { Words } from "./words.ts";

interface TalkProps {
  facing: Facing;
  link: Beside;
  news: News;
  language: Language;
  words: Words;
  upgrade: Upgrade;
  draw(): void;
}

const levelEvery = 150; // milliseconds

// MicLevel shows that the microphone hears.
export function MicLevel({ voice, label }: { voice: VoiceLike; label: string }) {
  const meter = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    const timer = window.setInterval(() => meter.current && (meter.current.value = Math.sqrt(voice.level())), levelEvery);
    return () => window.clearInterval(timer);
  }, [voice]);
  return <meter ref={meter} class="face-level" min={0} max={1} aria-label={label} />;
}

// othersOf are the people who see or hear the customer.
function othersOf(u: Upgrade, w: Words, language: Language): string {
  const names = (u.who ?? []).map((p) => p.name).filter(Boolean);
  return names.length > 0 ? new Intl.ListFormat(language, { type: "conjunction" }).format(names) : w.staff;
}

// sentenceOf says in one sentence how the talk stands: the worst thing first.
export function sentenceOf(facing: Facing, u: Upgrade, up: boolean, w: Words, language: Language): { text: string; mood: "good" | "bad" | "" } {
  const who = othersOf(u, w, language);
  if (!up) return { text: w.cut, mood: "bad" };
  if (u.state === "agreed" && u.now === "" && facing.voiceState !== "up" && facing.screenState !== "up") return { text: w.connecting, mood: "" };
  if (u.fallen && rank(u.now) < rank(u.agreed)) return { text: u.now === "" && u.fallen === "network" ? w.fallenText : (w.fallen[u.fallen] ?? w.fallenText), mood: "bad" };
  if (facing.voiceState === "cut" && facing.screenState === "cut") return { text: w.fallenText, mood: "bad" };
  if (facing.voiceState === "cut") return { text: w.voiceCut, mood: "bad" };
  if (facing.screenState === "cut") return { text: w.fallen.network ?? "", mood: "bad" };
  if (!u.who?.length) return { text: w.alone, mood: "" };
  if (u.agreed === "video" && facing.camera?.cam === "ok") return { text: u.pictures ? w.withPictures(who) : w.withVideo(who), mood: "good" };
  if (u.agreed === "video") return { text: u.pictures ? w.hiddenPictures : w.hidden(who), mood: "" };
  return { text: w.withVoice(who), mood: "good" };
}

export function Talk({ facing, link, news, language, words: w, upgrade: u, draw }: TalkProps) {
  const [large, setLarge] = useState(false);
  const [devices, setDevices] = useState(false);
  const [chosen, setChosen] = useState("");
  const video = u.agreed === "video";
  const low = useLow();
  const step = link.check?.state === "running" ? link.check.steps.find((s) => s.name === link.check?.present) : undefined;
  const posing = step?.kind === "document" || step?.kind === "face" || step?.kind === "request"; // one's own picture matters
  const tiles = video ? tilesOf(facing, u, posing ? guideOf(step.kind) : undefined) : [];
  const speaking = useSpeaking(facing.sound);
  const others = tiles.filter((t) => t.role !== "you" && t.kind === "camera");
  if (speaking && others.length === 1 && others[0]) others[0].speaking = true; // of several nobody knows who it is
  const sentence = sentenceOf(facing, u, link.up, w, language);
  const micDenied = !u.pictures && facing.mic === "denied";
  const camDenied = video && facing.camera?.cam === "denied";
  const denied = micDenied && camDenied ? "both" : micDenied ? "microphone" : camDenied ? "camera" : "";
  const trouble = micTrouble(facing, u, w);
  return (
    <section class={`face-talk ${video ? "video" : "voice"} ${large ? "large" : ""}`} aria-label={w.region}>
      {video && (
        <div class="face-pictures">
          <Tiles tiles={tiles} language={language} layout={low ? "strip" : "stage"} chosen={posing ? "own" : chosen || (tiles[0]?.id ?? "")} onChoose={setChosen} />
        </div>
      )}
      <div class="face-bar">
        <p class={`face-state ${sentence.mood}`} role="status">
          {sentence.text}
        </p>
        {u.kept && u.state === "up" && <p class="face-kept">{w.recorded}</p>}
        {!video && facing.voice && <MicLevel voice={facing.voice} label={w.level} />}
      </div>
      {trouble && (
        <p class="face-state bad" role="alert">
          {trouble}
        </p>
      )}
      {denied && <PermissionHelp what={denied} language={language} onRetry={() => void facing.again()} />}
      {news.blocked && (
        <button type="button" class="face-blocked">
          {w.blocked}
        </button>
      )}
      {news.away && (
        <p class="face-state">
          {w.away}{" "}
          <button
            type="button"
            onClick={() => {
              news.away = false;
              void facing.again();
              draw();
            }}
          >
            {w.ok}
          </button>
        </p>
      )}
      {facing.raise && u.by === "customer" && <p class="face-working">{w.raiseWaiting}</p>}
      <Trouble facing={facing} words={w} language={language} />
      {devices && <Devices facing={facing} language={language} />}
      <Controls facing={facing} link={link} upgrade={u} words={w} large={large} onLarge={setLarge} devices={devices} onDevices={setDevices} />
    </section>
  );
}

function micTrouble(facing: Facing, u: Upgrade, w: Words): string {
  if (u.pictures) return "";
  if (facing.mic === "unplugged") return w.noMic;
  if (facing.mic === "muted") return w.micSystem;
  if (facing.mic === "silent" && !facing.muted) return w.micSilent;
  return facing.muted ? w.mutedNow : "";
}

interface ControlsProps {
  facing: Facing;
  link: Beside;
  upgrade: Upgrade;
  words: Words;
  large: boolean;
  onLarge(on: boolean): void;
  devices: boolean;
  onDevices(on: boolean): void;
}

function Controls({ facing, link, upgrade: u, words: w, large, onLarge, devices, onDevices }: ControlsProps) {
  const video = u.agreed === "video";
  const camOn = facing.camera !== null && facing.camera.cam !== "off" && facing.camera.cam !== "";
  const checked = link.check !== null && (link.check.state === "running" || link.check.state === "broken");
  return (
    <div class="face-controls" role="group" aria-label={w.controls}>
      {facing.voice && <Press icon={facing.muted ? "micOff" : "mic"} label={facing.muted ? w.muteOff : w.muteOn} on={facing.muted} onPress={() => facing.mute(!facing.muted)} />}
      {video && <Press icon={camOn ? "camera" : "cameraOff"} label={camOn ? w.cameraOff : w.cameraOn} on={!camOn} onPress={() => void facing.see(!camOn)} />}
      {video && camOn && onPhone(thisBrowser()) && <Press icon="flip" label={w.flip} onPress={() => void facing.flip()} />}
      {!video && !u.pictures && !facing.raise && link.may.includes("video") && <Press icon="camera" label={w.toVideo} onPress={() => void facing.change("video")} />}
      <Press icon="devices" label={w.devices} open={devices} onPress={() => onDevices(!devices)} />
      {video && !u.pictures && !checked && <Press icon="voice" label={w.toVoice} onPress={() => void facing.change("voice")} />}
      {video && <Press className="face-size" icon={large ? "smaller" : "larger"} label={large ? w.smaller : w.larger} onPress={() => onLarge(!large)} />}
      <Press icon="end" label={video ? w.end : w.endVoice} className="face-end" onPress={() => void facing.end()} />
    </div>
  );
}

function Press({ icon, label, on, open, className, onPress }: { icon: Parameters<typeof Icon>[0]["name"]; label: string; on?: boolean; open?: boolean; className?: string; onPress(): void }) {
  return (
    <button type="button" class={["square", on ? "on" : "", className ?? ""].filter(Boolean).join(" ")} aria-label={label} title={label} {...(open === undefined ? {} : { "aria-expanded": open })} onClick={onPress}>
      <Icon name={icon} />
    </button>
  );
}

// tilesOf puts the pictures into an order that stays: shared screens, staff, then oneself.
export function tilesOf(facing: Facing, u: Upgrade, guide?: Tile["guide"]): Tile[] {
  const tiles: Tile[] = [];
  const people = [...(u.who ?? [])].filter((p) => p.role !== "listener");
  const cut = facing.screenState === "cut" || u.fallen === "network" || u.fallen === "agent";
  const nameless = people.filter((p) => !p.leg);
  const seen = new Set<string>();
  for (const s of facing.seen) {
    if (s.kind === "display" && !s.live) continue; // nobody shares a screen at the moment
    const person = people.find((p) => p.leg === s.leg) ?? (s.kind === "camera" ? nameless.shift() : nameless[0] ?? people[0]);
    if (s.kind === "camera" && person) seen.add(`${person.leg ?? ""} ${person.name}`);
    const role = person?.role === "specialist" ? "specialist" : "agent";
    const none: NoPicture = s.live ? "" : cut ? "network" : "connecting";
    tiles.push({ id: s.id, name: person?.name ?? "", role, kind: s.kind, stream: s.stream, none, silent: s.kind === "camera" && person?.muted === true });
  }
  tiles.sort((a, b) => Number(b.kind === "display") - Number(a.kind === "display"));
  for (const p of people) {
    if (seen.has(`${p.leg ?? ""} ${p.name}`)) continue;
    const none: NoPicture = facing.screenState === "connecting" || facing.screenState === "new" ? "connecting" : cut ? "network" : "off";
    tiles.push({ id: `of ${p.leg ?? p.name}`, name: p.name, role: p.role === "specialist" ? "specialist" : "agent", kind: "camera", stream: null, none, silent: p.muted === true });
  }
  const camera = facing.camera;
  const stream = ownStream(facing);
  const cam = camera?.cam ?? "";
  const none: NoPicture = cam === "ok" ? "" : cam === "" ? "connecting" : cam;
  tiles.push({ id: "own", name: "", role: "you", kind: "camera", stream, none, silent: facing.muted, mirror: camera?.facing === "user", ...(guide && !none ? { guide } : {}) });
  return tiles;
}

const own = new WeakMap<MediaStreamTrack, MediaStream>();

function ownStream(facing: Facing): MediaStream | null {
  const track = facing.camera?.track;
  if (!track) return null;
  let stream = own.get(track);
  if (!stream) own.set(track, (stream = new MediaStream([track])));
  return stream;
}

const lowUnder = 480; // pixels that can be seen: a keyboard is up, or the phone lies on its side

// useSpeaking tells whether somebody is heard now.
function useSpeaking(sound: MediaStream | null): boolean {
  const [speaking, setSpeaking] = useState(false);
  useEffect(() => {
    const track = sound?.getAudioTracks()[0];
    if (!track) return setSpeaking(false);
    const loud = new Loudness(track);
    const timer = window.setInterval(() => {
      loud.level();
      setSpeaking(loud.speaking);
    }, levelEvery);
    return () => {
      window.clearInterval(timer);
      loud.close();
    };
  }, [sound]);
  return speaking;
}

// useLow tells that there is little height: pictures then take a strip of it.
function useLow(): boolean {
  const height = () => window.visualViewport?.height ?? window.innerHeight;
  const [low, setLow] = useState(height() < lowUnder);
  useEffect(() => {
    const look = () => setLow(height() < lowUnder);
    const view: EventTarget = window.visualViewport ?? window;
    view.addEventListener("resize", look);
    return () => view.removeEventListener("resize", look);
  }, []);
  return low && !matchMedia("(min-width: 40rem)").matches;
}
