// <tandem-chat>: the widget as an element of its own, closed off from the page's styles.
// Attributes: site or qr, base, mode (page or nothing), lang, colour, theme.
import { render } from "preact";
import { Api } from "./api.ts";
import { browser } from "./host.ts";
import css from "./shadow.css";
import { Talk } from "./talk.ts";
import { Widget } from "./widget.tsx";
import type { Control } from "./widget.tsx";
import { languageOf } from "./words.ts";
import type { Language } from "./words.ts";

export const elementName = "tandem-chat";

export class TandemChat extends HTMLElement {
  static observedAttributes = ["lang"];
  control: Control | null = null;
  private talk: Talk | null = null;
  private api: Api | null = null;
  private language: Language = "en";
  private readonly place = document.createElement("div"); // where it is drawn
  private leave = new AbortController();

  connectedCallback(): void {
    const base = this.getAttribute("base") ?? location.origin + "/";
    const qr = this.getAttribute("qr");
    const api = (this.api = new Api(base, () => this.talk?.token ?? null));
    const talk = (this.talk = new Talk({
      host: browser,
      base,
      ...(qr !== null ? { qr } : { site: this.getAttribute("site") ?? "" }),
      langs: () => [...new Set([this.language, ...navigator.languages])].slice(0, 8),
      upload: (file, token, progress) => api.upload(file, token, progress),
    }));
    this.language = this.firstLanguage();
    const colour = this.getAttribute("colour");
    if (colour && CSS.supports("color", colour)) this.style.setProperty("--tandem-colour", colour);
    if (!this.shadowRoot) this.dress(this.attachShadow({ mode: "open" }));
    this.shadowRoot?.append(this.place);
    this.watch(talk);
    this.draw();
  }

  disconnectedCallback(): void {
    this.leave.abort();
    this.talk?.stop();
    render(null, this.place);
  }

  // The page may change its language: the widget follows, unless the person chose one.
  attributeChangedCallback(): void {
    if (!this.talk) return;
    const now = this.firstLanguage();
    if (now !== this.language) this.talk.speak(now);
    this.language = now;
    this.draw();
  }

  private draw(): void {
    const { talk, api } = this;
    if (!talk || !api) return;
    render(
      <Widget
        talk={talk}
        api={api}
        page={this.getAttribute("mode") === "page"}
        language={this.language}
        onLanguage={(l) => {
          talk.chooseLanguage(l);
          this.language = l;
          this.draw();
        }}
        control={(c) => (this.control = c)}
      />,
      this.place,
    );
  }

  // dress gives the shadow its style sheet. One that is adopted needs no leave of the
  // page's content policy, as a style element would.
  private dress(shadow: ShadowRoot): void {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      shadow.adoptedStyleSheets = [sheet];
    } catch {
      const style = document.createElement("style"); // a browser from before 2023
      style.textContent = css;
      shadow.append(style);
    }
  }

  // watch tells the talk what happens to the network, the page and the browser's storage.
  private watch(talk: Talk): void {
    this.leave = new AbortController();
    const { signal } = this.leave;
    addEventListener("online", () => talk.poke(), { signal });
    addEventListener("offline", () => talk.offline(), { signal });
    addEventListener("pagehide", () => talk.stop(), { signal }); // a socket would keep the page from being kept
    addEventListener("pageshow", (e) => e.persisted && talk.start(), { signal });
    addEventListener("storage", (e) => talk.changedElsewhere(e.key, e.newValue), { signal });
  }

  private firstLanguage(): Language {
    return languageOf([this.talk?.language(), this.getAttribute("lang"), document.documentElement.lang, ...navigator.languages]);
  }
}
