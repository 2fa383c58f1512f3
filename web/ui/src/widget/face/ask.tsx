// The cards that stand between the chat and the talk: what is asked, by whom and why, the
// person's own wish, the preview that nobody else sees, and how it ended.
import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Language } from "../../language.ts";
import { isInApp, onPhone, thisBrowser } from "../../face/browser.ts";
import { DevicePicker, useDevices } from "../../face/devices.tsx";
import { CopyAddress, PermissionHelp } from "../../face/permission.tsx";
import { Moving } from "../../face/tiles.tsx";
import { faceWords } from "../../face/words.ts";
import type { Beside } from "../beside.ts";
import type { ByLanguage, Check, Upgrade } from "../protocol.ts";
import { Icon } from "./icon.tsx";
import type { Facing } from "./facing.ts";
import { Outline } from "./outline.tsx";
import { MicLevel } from "./talk.tsx";
import type { Words } from "./words.ts";

export interface CardProps {
  facing: Facing;
  link: Beside;
  language: Language;
  words: Words;
  base: string; // the server's root
}

// inLanguage is the text in the person's language, or in any there is.
export function inLanguage(text: ByLanguage | undefined, language: Language): string {
  return text?.[language] ?? text?.[language.split("-")[0] ?? ""] ?? text?.["en"] ?? Object.values(text ?? {})[0] ?? "";
}

export function Card({ label, children, className }: { label: string; children: ComponentChildren; className?: string }) {
  return (
    <section class={className ? `face-card ${className}` : "face-card"} aria-label={label}>
      {children}
    </section>
  );
}

// Trouble tells why a command was not done.
export function Trouble({ facing, words: w, language }: { facing: Facing; words: Words; language: Language }) {
  const e = facing.error;
  return (
    <p class="error" role="alert">
      {e && (inLanguage(e.words, language) || (w.failed[e.code] ?? w.failed.other))}
    </p>
  );
}

export function Wish({ facing, link, language, words: w, base }: CardProps) {
  const video = link.may.includes("video");
  return (
    <Card label={w.wish}>
      <h3>{w.wish}</h3>
      <p>{video ? w.wishLead : w.wishLeadVoice}</p>
      <Beforehand base={base} words={w} />
      <Unable language={language} words={w} />
      <Trouble facing={facing} words={w} language={language} />
      <div class="face-row">
        {video && (
          <button type="button" class="main" aria-disabled={facing.busy !== ""} onClick={() => void facing.ask("video", language)}>
            <Icon name="camera" /> {w.video}
          </button>
        )}
        {link.may.includes("voice") && (
          <button type="button" class={video ? "" : "main"} aria-disabled={facing.busy !== ""} onClick={() => void facing.ask("voice", language)}>
            <Icon name="voice" /> {video ? w.voice : w.onlyVoice}
          </button>
        )}
        <button type="button" onClick={() => facing.put()}>
          {w.back}
        </button>
      </div>
    </Card>
  );
}

export function Waiting({ facing, language, words: w }: CardProps) {
  return (
    <Card label={w.waiting}>
      <p class="face-working">{w.waiting}</p>
      <Trouble facing={facing} words={w} language={language} />
      <div class="face-row">
        <button type="button" onClick={() => void facing.end()}>
          {w.cancel}
        </button>
      </div>
    </Card>
  );
}

// asks tells that a check's consent is to be answered: not before somebody has come for it.
export function asks(check: Check): boolean {
  return check.state === "asked" && check.waits !== "officer";
}

// checkOf is the identity check that an upgrade is asked for by, while it is to be agreed to.
export function checkOf(u: Upgrade, link: Beside): Check | null {
  return u.check && link.check?.id === u.check && asks(link.check) && link.check.agreed !== true ? link.check : null;
}

// Asked is the question, with all that there is to know before it is answered: who will see
// and hear, why, and what is kept.
export function Asked({ facing, link, language, words: w, base, upgrade: u, raise }: CardProps & { upgrade: Upgrade; raise: boolean }) {
  const who = u.name || u.who?.[0]?.name || w.staff;
  const video = u.level === "video";
  const kind = raise ? "raise" : u.pictures ? "pictures" : video ? "video" : "voice";
  const text = inLanguage(u.text, language);
  const why = inLanguage(u.why_text, language) || u.why;
  const others = (u.who ?? []).map((p) => p.name).filter(Boolean);
  const busy = facing.busy !== "";
  // Of an identity check its own words are agreed to first: both with the one tap.
  const check = checkOf(u, link);
  const accept = async (level: "voice" | "video") => {
    if (busy) return;
    if (check && !(await facing.agree(check, language))) return;
    await facing.accept(level, language, u.words);
  };
  const title = check ? w.checkAsk : w.asks[kind](who);
  return (
    <Card label={title} className="face-ask">
      <h3>{title}</h3>
      {check && <p class="face-words">{inLanguage(check.consent?.text, language)}</p>}
      {check && <Outline steps={check.steps} words={w} />}
      <dl class="face-facts">
        {why && (
          <>
            <dt>{w.why}</dt>
            <dd>{why}</dd>
          </>
        )}
        <dt>{u.pictures ? w.whoPictures : video ? w.who : w.whoVoice}</dt>
        <dd>{others.length > 0 ? new Intl.ListFormat(language, { type: "conjunction" }).format(others) : w.staff}</dd>
        <dt>{w.kept}</dt>
        <dd>{u.kept || u.keeps ? w.keptYes : w.keptNo}</dd>
      </dl>
      {text && <p class="face-words">{text}</p>}
      <p class="hint">{check ? w.checkLead(check.steps.length) : ""}</p>
      <p class="hint">{video ? w.previewFirst : w.chatGoesOn}</p>
      {!raise && <Beforehand base={base} words={w} />}
      <Unable language={language} words={w} />
      <Trouble facing={facing} words={w} language={language} />
      <div class="face-row">
        <button type="button" class="main" aria-disabled={busy} onClick={() => void accept(video ? "video" : "voice")}>
          <Icon name={video ? "camera" : "voice"} /> {busy ? w.working : check ? w.agree : u.pictures ? w.showPictures : video ? w.video : w.onlyVoice}
        </button>
        {video && !u.pictures && !raise && !check && (
          <button type="button" aria-disabled={busy} onClick={() => void accept("voice")}>
            <Icon name="voice" /> {w.voice}
          </button>
        )}
        <button type="button" aria-disabled={busy} onClick={() => void (check ? facing.want({ t: "check", do: "refuse", check: check.id, lang: language }) : facing.refuse())}>
          {w.no}
        </button>
      </div>
    </Card>
  );
}

// Beforehand leads to the page that tries this device.
function Beforehand({ base, words: w }: { base: string; words: Words }) {
  return (
    <p class="hint face-link">
      <a href={base + "check"} target="_blank" rel="noopener noreferrer">
        {w.beforehand}
      </a>
    </p>
  );
}

// Unable warns, before anything is agreed to, that the page stands where devices are refused.
function Unable({ language, words: w }: { language: Language; words: Words }) {
  const browser = thisBrowser();
  const none = !window.isSecureContext || !navigator.mediaDevices?.getUserMedia;
  if (!none && !isInApp(browser)) return null;
  return (
    <div class="face-note">
      <p>{isInApp(browser) ? `${w.inapp} ${w.inappOpen}` : faceWords[language].insecure}</p>
      {isInApp(browser) && (
        <div class="face-row">
          <CopyAddress language={language} />
        </div>
      )}
    </div>
  );
}

export function Impossible({ facing, language, words: w }: CardProps) {
  const browser = thisBrowser();
  return (
    <Card label={w.impossible} className="face-trouble">
      {isInApp(browser) ? (
        <>
          <h3>{w.impossible}</h3>
          <p>{w.inapp}</p>
          <PermissionHelp what="both" language={language} browser={browser} />
          <p class="hint">{w.inappOpen}</p>
        </>
      ) : (
        <>
          <h3>{w.impossible}</h3>
          <p>{faceWords[language].insecure}</p>
        </>
      )}
      <div class="face-row">
        <button type="button" onClick={() => void facing.end()}>
          {w.textInstead}
        </button>
      </div>
    </Card>
  );
}

export function Elsewhere({ facing, language, words: w }: CardProps) {
  return (
    <Card label={w.elsewhere}>
      <p>
        <b>{w.elsewhere}</b>
      </p>
      <p>{w.elsewhereHint}</p>
      <Trouble facing={facing} words={w} language={language} />
      <div class="face-row">
        <button type="button" aria-disabled={facing.busy !== ""} onClick={() => void facing.end()}>
          {w.elsewhereEnd}
        </button>
      </div>
    </Card>
  );
}

// Preview shows the person to themself, before anybody else.
export function Preview({ facing, language, words: w }: CardProps) {
  const u = facing.upgrade;
  const camera = facing.camera;
  const cam = camera?.cam ?? "";
  const start = useRef<HTMLButtonElement>(null);
  const ready = cam === "ok" || cam === "muted";
  const pictures = u?.pictures === true;
  const denied = cam === "denied" ? (facing.mic === "denied" ? "both" : "camera") : facing.mic === "denied" && !pictures ? "microphone" : "";
  useEffect(() => {
    if (ready) start.current?.focus();
  }, [ready]);
  return (
    <Card label={w.preview} className="face-preview">
      <div class={`face-look ${ready ? "" : "dark"}`}>
        {ready && camera?.track ? (
          <Look facing={facing} label={w.preview} />
        ) : denied && cam !== "" ? (
          <div class="face-in">
            <PermissionHelp what={denied} language={language} onRetry={() => void facing.again()} />
          </div>
        ) : (
          <p class="face-in" role="status">
            {cam === "unplugged" ? (camera?.busy ? w.cameraBusy : w.noCamera) : pictures ? w.askingCamera : w.asking}
          </p>
        )}
      </div>
      <p class="face-quiet">
        <b>{pictures ? w.previewHintPictures : w.previewHint}</b>
      </p>
      {ready && denied === "microphone" && <PermissionHelp what="microphone" language={language} onRetry={() => void facing.again()} />}
      {facing.voice && facing.mic !== "" && facing.mic !== "denied" && <MicLevel voice={facing.voice} label={w.level} />}
      {ready && <Devices facing={facing} language={language} />}
      <Trouble facing={facing} words={w} language={language} />
      <div class="face-row">
        {ready ? (
          <button ref={start} type="button" class="main" onClick={() => facing.show(true)}>
            <Icon name="camera" /> {w.start}
          </button>
        ) : (
          cam === "unplugged" && (
            <button type="button" class="main" onClick={() => void facing.again()}>
              {faceWords[language].tryAgain}
            </button>
          )
        )}
        {ready && onPhone(thisBrowser()) && (
          <button type="button" onClick={() => void facing.flip()} aria-label={w.flip} title={w.flip}>
            <Icon name="flip" />
          </button>
        )}
        {!pictures && (
          <button type="button" onClick={() => void facing.change("voice")}>
            {w.voiceInstead}
          </button>
        )}
        <button type="button" onClick={() => void facing.end()}>
          {w.textInstead}
        </button>
      </div>
    </Card>
  );
}

function Look({ facing, label }: { facing: Facing; label: string }) {
  const track = facing.camera?.track ?? null;
  const kept = useRef<{ track: MediaStreamTrack; stream: MediaStream } | null>(null);
  if (track && kept.current?.track !== track) kept.current = { track, stream: new MediaStream([track]) };
  return kept.current && <Moving stream={kept.current.stream} mirror={facing.camera?.facing === "user"} label={label} />;
}

// Devices offers other cameras and microphones, where there are any.
export function Devices({ facing, language }: { facing: Facing; language: Language }) {
  const cameras = useDevices("videoinput", facing.camera?.track);
  const mics = useDevices("audioinput", facing.mic);
  const { camera, voice } = facing;
  if (cameras.length < 2 && mics.length < 2) return null;
  return (
    <div class="face-devices">
      {camera?.track && <DevicePicker kind="videoinput" devices={cameras} current={camera.track.getSettings().deviceId ?? ""} language={language} onChoose={(id) => void camera.use(id)} />}
      {voice && <DevicePicker kind="audioinput" devices={mics} current="" language={language} onChoose={(id) => void voice.use(id)} />}
    </div>
  );
}

export function Ended({ facing, words: w }: CardProps) {
  const u = facing.ended;
  if (!u) return null;
  const text = w.ended[u.why ?? ""] ?? w.ended[u.state] ?? w.ended.over;
  return (
    <Card label={text ?? ""} className="face-over">
      <p>{text}</p>
      <button type="button" onClick={() => facing.put()}>
        {w.ok}
      </button>
    </Card>
  );
}
