// What a page and the server's screen tell each other about pictures; media/webrtc's Go type
// says the same.
import type { Signal } from "../voice/signal.ts";

// The camera: giving a picture, muted by the system or the browser, gone, not allowed, or
// switched off by the person.
export type Cam = "ok" | "muted" | "unplugged" | "denied" | "off";

// Slot is what a receiving section shows: id is LEG:camera or LEG:display, empty for nothing.
export interface Slot {
  mid: string;
  id: string;
}

export interface ScreenSignal extends Signal {
  cam?: Cam;
  slots?: Slot[];
}
