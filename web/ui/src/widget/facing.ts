// The script that shows voice, pictures and checks: loaded once there is something to show,
// so that pages with the widget do not pay for what few of their visitors use.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "./api.ts";
import type { Talk } from "./talk.ts";
import type { Language } from "./words.ts";

// Face is that script's: it draws into a place of the panel, and keeps the connections while
// there is none.
export interface Face {
  readonly live: boolean; // the person is heard or seen
  draw(place: HTMLElement | null, language: Language): void;
  wish(): void; // the person would like to speak
  close(): void;
}

export interface FaceOptions {
  talk: Talk;
  api: Api;
  shadow: ShadowRoot;
  changed(): void; // live is another
}

export type FaceModule = (o: FaceOptions) => Face;

const event = "tandem-face"; // by which the script hands itself over
let loading: Promise<FaceModule> | null = null;

function load(base: string): Promise<FaceModule> {
  return (loading ??= new Promise<FaceModule>((yes, no) => {
    const script = document.createElement("script");
    const trusted = (window as { trustedTypes?: { createPolicy(name: string, p: { createScriptURL(s: string): string }): { createScriptURL(s: string): string } } }).trustedTypes;
    const src = base + "customer-face.js";
    script.addEventListener(event, (e) => yes((e as CustomEvent<FaceModule>).detail));
    script.onerror = () => ((loading = null), script.remove(), no(new Error(src)));
    script.src = trusted ? trusted.createPolicy("tandem", { createScriptURL: (s) => s }).createScriptURL(src) : src;
    document.head.append(script);
  }));
}

// useFace gives the face once there is something for it to show.
export function useFace(talk: Talk, api: Api, root: () => Node): { face: Face | null; failed: boolean; wish(): void } {
  const [face, setFace] = useState<Face | null>(null);
  const [failed, setFailed] = useState(false);
  const [wished, setWished] = useState(false);
  const [, again] = useState(0);
  const kept = useRef<Face | null>(null);
  const { upgrade, check } = talk.beside;
  const wanted = wished || upgrade !== null || check !== null;
  useEffect(() => {
    if (!wanted || kept.current) return;
    let gone = false;
    load(api.base).then(
      (make) => {
        if (gone || kept.current) return;
        kept.current = make({ talk, api, shadow: root().getRootNode() as ShadowRoot, changed: () => again((n) => n + 1) });
        setFailed(false);
        setFace(kept.current);
        if (wished) kept.current.wish();
      },
      () => !gone && (setFailed(true), setWished(false)),
    );
    return () => {
      gone = true;
    };
  }, [wanted, upgrade?.id, check?.id]);
  useEffect(() => () => kept.current?.close(), []);
  return { face, failed, wish: () => (face ? face.wish() : setWished(true)) };
}
