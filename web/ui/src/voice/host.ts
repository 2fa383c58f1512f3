// What the voice needs of the browser, in one place so that tests can play it.

export interface Host {
  connect(config: RTCConfiguration): RTCPeerConnection;
  media(): MediaDevices | undefined; // none in pages that are not secure
  permission(): Promise<PermissionStatus | undefined>; // to use the microphone
  meter(track: MediaStreamTrack): Meter;
  silence(): Silence | undefined; // a track without sound, for who has no microphone
  every(ms: number, run: () => void): () => void;
  after(ms: number, run: () => void): () => void;
  networkChanged(run: () => void): () => void;
}

export interface Meter {
  peak(): number | undefined; // since the last look, 0 to 1; undefined while it cannot be measured
  close(): void;
}

export interface Silence {
  track: MediaStreamTrack;
  close(): void;
}

let shared: AudioContext | undefined;

// speaker is the page's audio context: browsers allow a handful of them.
function speaker(): AudioContext | undefined {
  if (!shared || shared.state === "closed") {
    try {
      shared = new AudioContext();
    } catch {
      return undefined;
    }
  }
  if (shared.state === "suspended") shared.resume().catch(() => {}); // it waits for a gesture
  return shared;
}

export const browser: Host = {
  connect: (config) => new RTCPeerConnection(config),
  media: () => (window.isSecureContext ? navigator.mediaDevices : undefined),
  permission: async () => {
    try {
      return await navigator.permissions.query({ name: "microphone" as PermissionName });
    } catch {
      return undefined; // a browser that does not tell
    }
  },
  meter(track) {
    const context = speaker();
    if (!context) return { peak: () => undefined, close: () => {} };
    // Its own track: the one that is sent is silent while nobody may hear it.
    const own = track.clone();
    own.enabled = true;
    const from = context.createMediaStreamSource(new MediaStream([own]));
    const look = context.createAnalyser();
    look.fftSize = 2048;
    from.connect(look);
    const samples = new Float32Array(look.fftSize);
    return {
      peak() {
        if (context.state !== "running" || own.readyState !== "live") return undefined;
        look.getFloatTimeDomainData(samples);
        let most = 0;
        for (const s of samples) most = Math.max(most, Math.abs(s));
        return most;
      },
      close() {
        from.disconnect();
        own.stop();
      },
    };
  },
  silence() {
    const context = speaker();
    if (!context) return undefined;
    const source = context.createConstantSource();
    source.offset.value = 0;
    const out = context.createMediaStreamDestination();
    source.connect(out);
    source.start();
    const track = out.stream.getAudioTracks()[0];
    if (!track) return undefined;
    return {
      track,
      close() {
        source.stop();
        track.stop();
      },
    };
  },
  every(ms, run) {
    const timer = window.setInterval(run, ms);
    return () => window.clearInterval(timer);
  },
  after(ms, run) {
    const timer = window.setTimeout(run, ms);
    return () => window.clearTimeout(timer);
  },
  networkChanged(run) {
    const connection = (navigator as { connection?: EventTarget }).connection;
    window.addEventListener("online", run);
    connection?.addEventListener("change", run);
    return () => {
      window.removeEventListener("online", run);
      connection?.removeEventListener("change", run);
    };
  },
};
