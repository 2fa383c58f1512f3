// The script customer-face.js: it hands itself to the widget that has loaded it, and shows
// voice, pictures and checks there. It leaves nothing else on the page.
import { render } from "preact";
import type { FaceModule } from "../facing.ts";
import type { Language } from "../words.ts";
import { Player } from "../../voice/player.ts";
import { Awake } from "./awake.ts";
import { Facing } from "./facing.ts";
import { Stills } from "./stills.ts";
import css from "./face.shadow.css";
import tiles from "../../face/tiles.shadow.css";
import { FaceView } from "./view.tsx";
import type { News } from "./view.tsx";

const tookFor = 4_000; // milliseconds that a picture's being taken is told

const make: FaceModule = ({ talk, api, shadow, changed }) => {
  dress(shadow);
  const link = talk.beside;
  const news: News = { blocked: false, still: "", away: false };
  let place: HTMLElement | null = null;
  let language: Language = "en";
  let live = false;
  let drawing = false;
  let cancelStill = () => {};

  const player = new Player((blocked) => {
    news.blocked = blocked;
    draw();
  });
  const awake = new Awake(
    () => facing.live,
    () => {
      news.away = true;
      draw();
    },
  );
  const facing: Facing = new Facing({
    link,
    changed: () => draw(),
    heard: (stream) => (stream ? player.start(stream) : player.stop()),
  });
  const stills: Stills = new Stills({
    still: () => facing.camera?.still() ?? Promise.reject(new Error("no camera")),
    send: (check, step, jpeg) => api.still(check, step, link.page, facing.camera?.track?.label ?? "", jpeg),
    told: (state) => {
      news.still = state;
      cancelStill();
      const timer = setTimeout(() => {
        news.still = "";
        draw();
      }, tookFor);
      cancelStill = () => clearTimeout(timer);
      draw();
    },
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  });

  function draw(): void {
    if (drawing) return; // several changes come at once
    drawing = true;
    queueMicrotask(() => {
      drawing = false;
      stills.look(link.check, facing.shown && facing.camera?.cam === "ok");
      awake.look();
      if (facing.live !== live) {
        live = facing.live;
        changed();
      }
      if (place) render(<FaceView facing={facing} link={link} news={news} language={language} base={api.base} draw={draw} />, place);
    });
  }
  const stop = talk.subscribe(() => {
    facing.sync();
    draw();
  });
  draw();

  return {
    get live() {
      return facing.live;
    },
    draw(at, l) {
      if (place && place !== at) render(null, place);
      place = at;
      language = l;
      draw();
    },
    wish: () => facing.wish(),
    close() {
      stop();
      facing.close();
      stills.close();
      awake.close();
      player.stop();
      if (place) render(null, place);
      place = null;
    },
  };
};

// dress adds the style sheets to the widget's shadow.
function dress(shadow: ShadowRoot): void {
  const text = tiles + css;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, sheet];
  } catch {
    const style = document.createElement("style"); // a browser from before 2023
    style.textContent = text;
    shadow.append(style);
  }
}

document.currentScript?.dispatchEvent(new CustomEvent("tandem-face", { detail: make }));
