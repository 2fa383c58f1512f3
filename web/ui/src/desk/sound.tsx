// The microphone and what is heard: how they stand in the bar, and the dialog that chooses
// devices, shows the level and has the ring tried.
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../staff/dialog.tsx";
import { Icon } from "../staff/icon.tsx";
import { useKeysOf } from "../staff/keys.tsx";
import { useChanges, useDesk } from "./context.tsx";
import { keys } from "./keylist.ts";
import { notifying } from "./ring.ts";
import { useDeskWords, useFaceWords } from "./words.ts";
import type { World } from "./world.ts";

export function SoundButton({ onOpen }: { onOpen(): void }) {
  const w = useDeskWords();
  const { seat } = useDesk();
  const shown = useKeysOf();
  useChanges(seat);
  const bad = seat.state === "gone" || seat.state === "elsewhere" || (seat.mic !== "" && seat.mic !== "ok");
  const label = bad && seat.mic !== "" && seat.mic !== "ok" ? w.mics[seat.mic]! : w.seats[seat.state]!;
  return (
    <button type="button" class={`quiet sound-button ${bad ? "bad" : seat.state}`} aria-label={`${w.soundTitle}: ${label}`} title={`${label} (${shown(keys.sound)})`} onClick={onOpen}>
      <Icon name={bad ? "micOff" : seat.state === "off" ? "phone" : "mic"} />
    </button>
  );
}

export function SoundDialog({ world, onClose }: { world: World; onClose(): void }) {
  const w = useDeskWords();
  const fw = useFaceWords();
  const { seat, kept, ring, sound } = world;
  useChanges(seat);
  const devices = useDevices(seat.state);
  const [chosen, setChosen] = useState(() => kept.devices());
  const choose = (change: Parameters<typeof kept.choose>[0]) => {
    const next = kept.choose(change);
    setChosen(next);
    return next;
  };
  return (
    <Dialog title={w.soundTitle} onClose={onClose}>
      <p class={`seat-state ${seat.state}`}>
        <Icon name={seat.mic && seat.mic !== "ok" ? "micOff" : "mic"} />
        <span>{w.seats[seat.state]}</span>
        {seat.mic !== "" && <span class={`badge ${seat.mic === "ok" ? "good" : "bad"}`}>{w.mics[seat.mic]}</span>}
      </p>
      {seat.available && (
        <div class="actions">
          {seat.state === "off" ? (
            <button type="button" class="main" onClick={() => void seat.begin(choose({ seat: "page" }).microphone)}>
              {w.useMicrophone}
            </button>
          ) : (
            <button type="button" onClick={() => (choose({ seat: "phone" }), seat.end())}>
              {w.stopMicrophone}
            </button>
          )}
        </div>
      )}
      <DeviceField id="sound-microphone" label={w.microphone} list={devices.filter((d) => d.kind === "audioinput")} value={chosen.microphone ?? ""} onChoose={(id) => (choose({ microphone: id }), void seat.use(id))} />
      {seat.state === "up" && <Level />}
      <DeviceField id="sound-speaker" label={w.speaker} list={devices.filter((d) => d.kind === "audiooutput")} value={chosen.speaker ?? ""} onChoose={(id) => (choose({ speaker: id }), void sinkTo(sound, id))} />
      <DeviceField id="sound-camera" label={fw.camera} hint={fw.cameraNote} list={devices.filter((d) => d.kind === "videoinput")} value={chosen.camera ?? ""} onChoose={(id) => (choose({ camera: id }), world.sights.device(id))} />
      <DeviceField id="sound-ring" label={w.ringDevice} list={devices.filter((d) => d.kind === "audiooutput")} value={chosen.ring ?? ""} onChoose={(id) => ring.set(id, choose({ ring: id }).volume ?? 0.6)} />
      <div class="field">
        <label for="sound-volume">{w.volume}</label>
        <input id="sound-volume" type="range" min="0" max="1" step="0.1" value={chosen.volume ?? 0.6} onInput={(e) => ring.set(chosen.ring ?? "", choose({ volume: Number(e.currentTarget.value) }).volume ?? 0.6)} />
      </div>
      <div class="actions">
        <button type="button" onClick={() => ring.once()}>
          <Icon name="sound" />
          {w.tryRing}
        </button>
      </div>
      <Notes />
    </Dialog>
  );
}

interface DeviceProps {
  id: string;
  label: string;
  hint?: string;
  list: readonly MediaDeviceInfo[];
  value: string;
  onChoose(id: string): void;
}

function DeviceField({ id, label, hint, list, value, onChoose }: DeviceProps) {
  const w = useDeskWords();
  const named = list.filter((d) => d.deviceId !== "" && d.deviceId !== "default");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(e) => onChoose(e.currentTarget.value)}>
        <option value="">{w.standardDevice}</option>
        {named.map((d) => (
          <option key={d.deviceId} value={d.deviceId}>
            {d.label || d.deviceId.slice(0, 8)}
          </option>
        ))}
      </select>
      {hint && <span class="hint">{hint}</span>}
    </div>
  );
}

// Level shows how loud the microphone is, ten times a second.
function Level() {
  const w = useDeskWords();
  const { seat } = useDesk();
  const meter = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    const timer = window.setInterval(() => {
      if (meter.current) meter.current.value = seat.level();
    }, 100);
    return () => window.clearInterval(timer);
  }, [seat]);
  return <meter ref={meter} class="level" min={0} max={1} value={0} aria-label={w.micLevel} />;
}

function Notes() {
  const w = useDeskWords();
  const [state, setState] = useState(notifying);
  if (state === "none") return null;
  return (
    <section>
      <h3>{w.notify}</h3>
      {state === "granted" && <p class="soft">{w.notifyOn}</p>}
      {state === "denied" && <p class="soft">{w.notifyDenied}</p>}
      {state === "default" && (
        <button type="button" onClick={() => void Notification.requestPermission().then(setState)}>
          {w.notifyAsk}
        </button>
      )}
    </section>
  );
}

function useDevices(on: string): MediaDeviceInfo[] {
  const [list, setList] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    const media = navigator.mediaDevices as MediaDevices | undefined; // none without https
    if (!media) return;
    const look = () => void media.enumerateDevices().then(setList, () => setList([]));
    look();
    media.addEventListener("devicechange", look);
    return () => media.removeEventListener("devicechange", look);
  }, [on]);
  return list;
}

// sinkTo has the voices heard by a device; "" = as the system does.
export async function sinkTo(sound: HTMLAudioElement, id: string): Promise<void> {
  try {
    await (sound as HTMLAudioElement & { setSinkId?(id: string): Promise<void> }).setSinkId?.(id);
  } catch {
    // The device is gone: the system's own plays.
  }
}
