// A picture, drawn on a canvas: the pages that the widget stands on may forbid images of
// other places, and their address must not be asked without the conversation's token.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";
import type { Words } from "./words.ts";

interface Props {
  words: Words;
  label: string;
  load(): Promise<Blob>;
  source: string; // another one = another picture
  width?: number;
  height?: number;
  onReady?(): void; // it has its size now
}

export function Picture({ words: w, label, load, source, width, height, onReady }: Props) {
  const [blob, setBlob] = useState<Blob | null>(null);
  const [failed, setFailed] = useState(false);
  const [large, setLarge] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    let gone = false;
    setFailed(false);
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      seen.disconnect(); // it is fetched when it is looked at
      load().then(
        (b) => !gone && setBlob(b),
        () => !gone && setFailed(true),
      );
    });
    if (button.current) seen.observe(button.current);
    return () => {
      gone = true;
      seen.disconnect();
    };
  }, [source]);
  if (failed) return <p class="hint">{w.pictureFailed}</p>;
  return (
    <>
      <button ref={button} type="button" class="picture" aria-label={`${label}. ${w.enlarge}`} disabled={!blob} onClick={() => setLarge(true)}>
        <Drawn blob={blob} width={width} height={height} onReady={onReady} onFail={() => setFailed(true)} />
      </button>
      {large && <Large words={w} label={label} blob={blob} onClose={() => setLarge(false)} />}
    </>
  );
}

interface DrawnProps {
  blob: Blob | null;
  width?: number | undefined; // before the picture is there
  height?: number | undefined;
  onReady?: (() => void) | undefined;
  onFail(): void;
}

export function Drawn({ blob, width, height, onReady, onFail }: DrawnProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!blob) return;
    let gone = false;
    createImageBitmap(blob).then(
      (bitmap) => {
        const c = canvas.current;
        if (!gone && c) {
          c.width = bitmap.width;
          c.height = bitmap.height;
          c.getContext("2d")?.drawImage(bitmap, 0, 0);
          onReady?.();
        }
        bitmap.close();
      },
      () => !gone && onFail(),
    );
    return () => {
      gone = true;
    };
  }, [blob]);
  return <canvas ref={canvas} width={width ?? 240} height={height ?? 160} aria-hidden="true" />;
}

function Large({ words: w, label, blob, onClose }: { words: Words; label: string; blob: Blob | null; onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="large" aria-label={label} onClose={onClose} onKeyDown={(e) => e.stopPropagation()}>
      <Drawn blob={blob} onFail={onClose} />
      <button type="button" class="square" aria-label={w.shrink} onClick={() => dialog.current?.close()}>
        <Icon name="close" />
      </button>
    </dialog>
  );
}
