// The pictures of who takes part, each with its name, and in words why one has none.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Language } from "../language.ts";
import { faceWords } from "./words.ts";
import type { FaceWords } from "./words.ts";

export type NoPicture = "" | "off" | "network" | "denied" | "unplugged" | "connecting" | "waiting" | "muted";

export interface Tile {
  id: string;
  name: string;
  role: "you" | "customer" | "agent" | "specialist" | "listener";
  kind: "camera" | "display";
  stream: MediaStream | null;
  none?: NoPicture; // why there is no picture
  silent?: boolean; // their microphone is off
  speaking?: boolean;
  mirror?: boolean; // one's own, as in a mirror
  guide?: Guide;
}

// Guide is drawn over a picture of that many pixels.
export type Guide = (width: number, height: number) => ComponentChildren;

interface TilesProps {
  tiles: Tile[];
  language: Language;
  layout: "grid" | "strip" | "stage"; // stage: one large, the others beside it
  chosen?: string; // the large one
  onChoose?(id: string): void;
}

export function Tiles({ tiles, language, layout, chosen, onChoose }: TilesProps) {
  const w = faceWords[language];
  const large = layout === "stage" ? (tiles.find((t) => t.id === chosen) ?? tiles[0]) : undefined;
  const ordered = large ? [large, ...tiles.filter((t) => t !== large)] : tiles;
  return (
    <ul class={`face-tiles ${layout} n${Math.min(tiles.length, 6)}`}>
      {ordered.map((t) => (
        <li key={t.id} class={["face-tile", t.kind, t === large ? "large" : "", t.speaking ? "speaking" : "", t.none ? "dark" : ""].filter(Boolean).join(" ")}>
          <Picture tile={t} words={w} />
          {onChoose && t !== large && tiles.length > 1 && <button type="button" class="face-choose" aria-label={w.enlarge(nameOf(t, w))} onClick={() => onChoose(t.id)} />}
        </li>
      ))}
    </ul>
  );
}

function nameOf(t: Tile, w: FaceWords): string {
  const name = t.role === "you" ? w.you : t.name || w.role[t.role] || "";
  return t.kind === "display" ? w.display(name) : name;
}

function Picture({ tile: t, words: w }: { tile: Tile; words: FaceWords }) {
  const name = nameOf(t, w);
  const [[width, height], setSize] = useState([0, 0]);
  return (
    <>
      {t.stream && !t.none ? (
        <Moving stream={t.stream} mirror={t.mirror === true} label={w.tile(name)} onSize={(w, h) => setSize([w, h])} />
      ) : (
        <div class="face-none">
          <span class="face-initial" aria-hidden="true">
            {initial(name)}
          </span>
          <span class="face-why">{t.none ? (t.role === "you" ? w.noneOwn : w.none)[t.none] : ""}</span>
        </div>
      )}
      {width > 0 && height > 0 && t.guide?.(width, height)}
      <p class="face-name">
        {t.silent && (
          <svg viewBox="0 0 24 24" width="16" height="16" role="img" aria-label={w.micOff}>
            <path d="M12 4a3 3 0 013 3v4M9 9v2a3 3 0 005 2M6 11a6 6 0 0010 4M18 11a6 6 0 01-.5 2.500M12 17v3M4 4l16 16" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
          </svg>
        )}
        <span>{name}</span>
        {t.speaking && <span class="face-unseen">{w.speaks(name)}</span>}
      </p>
    </>
  );
}

function initial(name: string): string {
  return [...name.trim()][0]?.toUpperCase() ?? "";
}

// Moving is a picture that moves. It has no sound: that comes by a connection of its own.
export function Moving({ stream, mirror, label, onSize }: { stream: MediaStream; mirror: boolean; label: string; onSize?(width: number, height: number): void }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const v = video.current;
    if (!v) return;
    v.muted = true; // the attribute alone is not taken from scripts
    v.srcObject = stream;
    v.play().catch(() => {}); // it begins with the first frame
    return () => {
      v.srcObject = null;
    };
  }, [stream]);
  return (
    <video
      ref={video}
      class={mirror ? "mirror" : ""}
      aria-label={label}
      autoPlay
      playsInline
      muted
      disablePictureInPicture
      onResize={(e) => onSize?.(e.currentTarget.videoWidth, e.currentTarget.videoHeight)}
    />
  );
}
