// What pictures need of the browser, in one place so that tests can play it.
import { browser as sound } from "../voice/host.ts";
import type { Host } from "../voice/host.ts";

export interface FaceHost extends Pick<Host, "connect" | "media" | "every" | "after" | "networkChanged"> {
  permission(what: "camera" | "microphone"): Promise<PermissionStatus | undefined>;
  stream(track: MediaStreamTrack): MediaStream;
  grab(track: MediaStreamTrack): Promise<Blob>; // one picture as it comes from the camera, as JPEG
}

const grabTime = 5_000; // milliseconds for a camera to give a picture
const quality = 0.92; // of a still: a card's small print stays readable

export const browser: FaceHost = {
  connect: sound.connect,
  media: sound.media,
  every: sound.every,
  after: sound.after,
  networkChanged: sound.networkChanged,
  stream: (track) => new MediaStream([track]),
  permission: async (what) => {
    try {
      return await navigator.permissions.query({ name: what as PermissionName });
    } catch {
      return undefined; // a browser that does not tell
    }
  },
  async grab(track) {
    const video = document.createElement("video");
    video.muted = true;
    video.playsInline = true;
    video.srcObject = new MediaStream([track]);
    try {
      await new Promise<void>((yes, no) => {
        const timer = setTimeout(() => no(new Error("the camera gives no picture")), grabTime);
        video.onloadeddata = () => (clearTimeout(timer), yes());
        video.play().catch(() => {}); // loadeddata tells
      });
      const canvas = document.createElement("canvas");
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      canvas.getContext("2d")?.drawImage(video, 0, 0);
      return await new Promise<Blob>((yes, no) => canvas.toBlob((b) => (b ? yes(b) : no(new Error("no picture could be made"))), "image/jpeg", quality));
    } finally {
      video.srcObject = null;
    }
  },
};
