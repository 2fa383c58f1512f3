// The page /check: will voice and video work on this device, in this browser, by this network?
import { useEffect, useRef, useState } from "preact/hooks";
import { isInApp, thisBrowser } from "../face/browser.ts";
import { DevicePicker, useDevices } from "../face/devices.tsx";
import { CopyAddress, PermissionHelp } from "../face/permission.tsx";
import { Moving } from "../face/tiles.tsx";
import { firstLanguage, languageNames, languages, remember } from "../language.ts";
import type { Language } from "../language.ts";
import { findingsOf, Probe } from "./probe.ts";
import type { Finding } from "./probe.ts";
import { words } from "./words.ts";
import type { Words } from "./words.ts";

const levelEvery = 100; // milliseconds
const measureEvery = 1_000;

export function Page() {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const [probe, setProbe] = useState<Probe | null>(null);
  const [, again] = useState(0);
  const w = words[language];
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = w.title;
  }, [language, w]);
  useEffect(() => {
    if (!probe) return;
    const timer = window.setInterval(() => void probe.measure(), measureEvery);
    const leave = () => probe.close();
    window.addEventListener("pagehide", leave);
    return () => {
      window.clearInterval(timer);
      window.removeEventListener("pagehide", leave);
      probe.close();
    };
  }, [probe]);

  const begin = () => {
    const next: Probe = new Probe({ onChange: () => again((n) => n + 1) });
    setProbe(next);
    void next.begin();
  };
  const running = probe !== null && !probe.over;
  const findings = probe ? findingsOf(probe) : null;
  return (
    <>
      <header>
        <p class="brand">
          <img src="icon.svg" alt="" width="28" height="28" />
          Tandem
        </p>
        <fieldset class="language">
          <legend class="unseen">{w.language}</legend>
          {languages.map((l) => (
            <label key={l} lang={l}>
              <input
                type="radio"
                name="language"
                value={l}
                checked={l === language}
                onChange={() => {
                  remember(l);
                  setLanguage(l);
                }}
              />
              <span>{languageNames[l]}</span>
            </label>
          ))}
        </fieldset>
      </header>
      <main class="check">
        <h1>{w.title}</h1>
        <p class="lead">{w.lead}</p>
        {isInApp(thisBrowser()) && (
          <div class="note">
            <p>{w.inapp}</p>
            <div class="face-row">
              <CopyAddress language={language} />
            </div>
          </div>
        )}
        {findings && <Result findings={findings} probe={probe as Probe} words={w} />}
        <div class="begin">
          {!running ? (
            <button type="button" class="main" onClick={begin}>
              {probe ? w.again : w.begin}
            </button>
          ) : (
            <button type="button" onClick={() => probe.close()}>
              {w.stop}
            </button>
          )}
        </div>
        <Items probe={probe} language={language} words={w} />
      </main>
    </>
  );
}

function Result({ findings, probe, words: w }: { findings: ReturnType<typeof findingsOf>; probe: Probe; words: Words }) {
  const trouble =
    probe.over && probe.why === "many" ? w.over.many(Math.max(1, Math.ceil(probe.retryAfter / 60))) : probe.over && probe.why in w.over ? (w.over[probe.why as "busy" | "closed" | "lost" | "insecure"] as string) : "";
  const mood = trouble ? "bad" : { wait: "", try: "", video: "good", voice: "weak", text: "bad" }[findings.all];
  return (
    <p class={`result ${mood}`} role="status">
      {trouble || w.all[findings.all]}
    </p>
  );
}

function Items({ probe, language, words: w }: { probe: Probe | null; language: Language; words: Words }) {
  const f = probe ? findingsOf(probe) : null;
  const cameras = useDevices("videoinput", probe?.camera.track);
  const mics = useDevices("audioinput", probe?.mic);
  const running = probe !== null && !probe.over;
  const quiet = probe?.mic === "ok" && f?.microphone !== "good";
  const micText = !probe ? "" : quiet ? (probe.over ? w.micText.quietOver : w.micText.quiet) : (w.micText[probe.mic] ?? "");
  const camText = !probe ? "" : probe.cam === "unplugged" && probe.camera.busy ? w.camText.busy : (w.camText[probe.cam] ?? "");
  const route = probe?.protocol ? w.route[probe.protocol]?.(Math.max(1, Math.round(probe.rtt * 1000))) : "";
  return (
    <ul class="items">
      <Item name={w.microphone} finding={f?.microphone ?? "wait"} text={micText ?? ""} words={w}>
        {running && probe.mic !== "" && probe.mic !== "denied" && <Level probe={probe} label={w.level} />}
        {running && probe.mic !== "" && probe.mic !== "denied" && <DevicePicker kind="audioinput" devices={mics} current="" language={language} onChoose={(id) => void probe.useMicrophone(id)} />}
        {probe?.mic === "denied" && <PermissionHelp what={probe.cam === "denied" ? "both" : "microphone"} language={language} onRetry={() => void probe.again()} />}
      </Item>
      <Item name={w.camera} finding={f?.camera ?? "wait"} text={camText ?? ""} words={w}>
        {probe?.cam === "denied" && probe.mic !== "denied" && <PermissionHelp what="camera" language={language} onRetry={() => void probe.again()} />}
        {running && probe.cam === "ok" && (
          <div class="pair">
            <figure>
              <Own probe={probe} label={w.own} />
              <figcaption>{w.own}</figcaption>
            </figure>
            <figure>
              {probe.back?.live ? <Moving stream={probe.back.stream} mirror label={w.back} /> : <div class="nothing" />}
              <figcaption>{w.back}</figcaption>
            </figure>
          </div>
        )}
        {running && probe.cam === "ok" && <DevicePicker kind="videoinput" devices={cameras} current={probe.camera.track?.getSettings().deviceId ?? ""} language={language} onChoose={(id) => void probe.camera.use(id)} />}
      </Item>
      <Item name={w.sound} finding={f?.sound ?? "wait"} text={w.soundText[f?.sound ?? "wait"]} words={w} />
      <Item name={w.picture} finding={f?.picture ?? "wait"} text={[w.pictureText[f?.picture ?? "wait"], f?.picture === "good" ? route : ""].filter(Boolean).join(language === "en" ? " " : "")} words={w} />
    </ul>
  );
}

function Item({ name, finding, text, words: w, children }: { name: string; finding: Finding; text: string; words: Words; children?: preact.ComponentChildren }) {
  return (
    <li class={`item ${finding}`}>
      <div class="item-head">
        <h2>{name}</h2>
        <span class="finding">{w.state[finding]}</span>
      </div>
      {text && <p>{text}</p>}
      {children}
    </li>
  );
}

function Own({ probe, label }: { probe: Probe; label: string }) {
  const track = probe.camera.track;
  const kept = useRef<{ track: MediaStreamTrack; stream: MediaStream } | null>(null);
  if (track && kept.current?.track !== track) kept.current = { track, stream: new MediaStream([track]) };
  return kept.current ? <Moving stream={kept.current.stream} mirror label={label} /> : <div class="nothing" />;
}

function Level({ probe, label }: { probe: Probe; label: string }) {
  const meter = useRef<HTMLMeterElement>(null);
  const [, again] = useState(false);
  useEffect(() => {
    const timer = window.setInterval(() => {
      if (meter.current) meter.current.value = Math.sqrt(probe.look());
      again(probe.loudest > 0.02);
    }, levelEvery);
    return () => window.clearInterval(timer);
  }, [probe]);
  return <meter ref={meter} class="level" min={0} max={1} aria-label={label} />;
}
