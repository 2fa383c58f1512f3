// What a page and the server's peer tell each other; media/webrtc's Go type says the same.

export interface Signal {
  kind: string; // offer, answer, restart, mic, speak, bye
  sdp?: string;
  mic?: string;
  codec?: string; // of speak: opus, PCMU, PCMA
  why?: string;
}

// The microphone: open and giving sound, muted by the system or the browser, gone, not
// allowed, or open and giving nothing but zeros for long.
export type Mic = "ok" | "muted" | "unplugged" | "denied" | "silent";

// How the page is connected: cut may mend, gone does not.
export type VoiceState = "new" | "connecting" | "up" | "cut" | "gone";

export interface Server {
  urls: string | string[];
  username?: string;
  credential?: string;
}

export interface Device {
  id: string;
  label: string;
}
