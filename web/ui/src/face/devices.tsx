// Which cameras, microphones and speakers there are, and a way to choose one.
import { useEffect, useState } from "preact/hooks";
import type { Language } from "../language.ts";
import type { Device } from "../voice/signal.ts";
import { faceWords } from "./words.ts";

export type Kind = "videoinput" | "audioinput" | "audiooutput";

// useDevices lists the devices of a kind, anew whenever they change. Their names are known
// only once the browser lets the page use one: again is any value that changes then.
export function useDevices(kind: Kind, again?: unknown): Device[] {
  const [devices, setDevices] = useState<Device[]>([]);
  useEffect(() => {
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (!media?.enumerateDevices) return;
    let gone = false;
    const list = async () => {
      const all = await media.enumerateDevices().catch(() => []);
      if (!gone) setDevices(all.filter((d) => d.kind === kind && d.deviceId !== "").map((d) => ({ id: d.deviceId, label: d.label })));
    };
    void list();
    media.addEventListener("devicechange", list);
    return () => {
      gone = true;
      media.removeEventListener("devicechange", list);
    };
  }, [kind, again]);
  return devices;
}

interface DevicePickerProps {
  kind: Kind;
  devices: Device[];
  current: string; // id; "" = the system's choice
  language: Language;
  onChoose(id: string): void;
}

// DevicePicker offers a choice where there is one.
export function DevicePicker({ kind, devices, current, language, onChoose }: DevicePickerProps) {
  const w = faceWords[language];
  if (devices.length < 2) return null;
  const name = { videoinput: w.camera, audioinput: w.microphone, audiooutput: w.speaker }[kind];
  return (
    <label class="face-device">
      <span>{name}</span>
      <select value={current || devices[0]?.id} onChange={(e) => onChoose(e.currentTarget.value)}>
        {devices.map((d, i) => (
          <option key={d.id} value={d.id}>
            {d.label || w.unnamed[kind](i + 1)}
          </option>
        ))}
      </select>
    </label>
  );
}
