// The desk's parts, put together for one page, with the browser around them.
import type { Api } from "../staff/api.ts";
import { Camera } from "../face/camera.ts";
import { shareScreen } from "../face/display.ts";
import { Pictures } from "../face/pictures.ts";
import { Voice } from "../voice/voice.ts";
import { Hold } from "./hold.ts";
import { Kept } from "./kept.ts";
import { Flash, Ring } from "./ring.ts";
import { Seat } from "./seat.ts";
import { Sights } from "./sight.ts";
import type { Server } from "../voice/signal.ts";
import type { News } from "./store.ts";
import type { Host, Socket } from "./wire.ts";

export interface World {
  hold: Hold;
  seat: Seat;
  sights: Sights;
  kept: Kept;
  ring: Ring;
  flash: Flash;
  sound: HTMLAudioElement; // plays the voices of a call
  onNews: { run(news: readonly News[]): void }; // set by the page
}

export const browser: Host = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = window.setTimeout(run, ms);
    return () => window.clearTimeout(timer);
  },
  random: Math.random,
  id: () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(15)))).replaceAll("+", "-").replaceAll("/", "_"),
  connect(path, protocol) {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return new WebSocket(url.href, protocol) as Socket;
  },
};

export function makeWorld(api: Api, name: string): World {
  const kept = new Kept(shelf(), name);
  const onNews: World["onNews"] = { run: () => {} };
  const sound = new Audio();
  sound.autoplay = true;
  const servers = async () => (await api.get<{ servers: Server[] | null }>("voice/servers")).servers ?? [];
  const seat: Seat = new Seat({
    make: (o) => new Voice(o),
    servers,
    send: (of, signal) => hold.wire.pass({ t: "voice", seat: of, signal }),
    id: browser.id,
    after: browser.after,
    onRemote: (stream) => {
      sound.srcObject = stream;
      if (stream) void sound.play().catch(() => {}); // it begins with the agent's next key
    },
  });
  const sights: Sights = new Sights({
    pictures: (o) => new Pictures(o),
    camera: (o) => new Camera(o),
    share: () => shareScreen(),
    servers,
    send: (interaction, page, signal) => hold.wire.pass({ t: "screen", interaction, page, signal }),
    id: browser.id,
    after: browser.after,
    wanted: () => ({ camera: kept.devices().shown !== false, device: kept.devices().camera ?? "" }),
    choose: (shown) => void kept.choose({ shown }),
  });
  const hold: Hold = new Hold({
    host: browser,
    api,
    kept,
    onNews: (news) => onNews.run(news),
    onVoice: (of, signal) => seat.take(of, signal),
    onScreen: (interaction, page, signal) => (interaction ? sights.take(interaction, page, signal) : sights.refused(page, signal.why ?? "")),
    onUp: () => (seat.reconnected(), sights.reconnected()),
  });
  hold.subscribe(() => {
    seat.follow(Object.values(hold.state.talks), hold.state.name);
    sights.follow(hold.state);
  });
  return { hold, seat, sights, kept, ring: new Ring(), flash: new Flash(), sound, onNews };
}

function shelf(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null; // some private windows refuse it
  }
}
