// The likeness of two stills as a model sees it: asked for by the officer, marked as advice,
// noted with the step, and nothing else.
import { useState } from "preact/hooks";
import { Icon } from "../../staff/icon.tsx";
import type { Check } from "../faces.ts";
import { useFaceWords } from "../words.ts";
import { distanceOf, likenessOf } from "./advice.ts";
import type { Advice } from "./advice.ts";
import { loadModel, modelName } from "./model.ts";
import { pairOf } from "./steps.ts";
import { imageOf, kindOf } from "./stills.tsx";

const longest = 60_000; // milliseconds that the model may look; seconds where the machine has nothing else to do

class TooSlow extends Error {}

// soon gives up on what does not come.
function soon<T>(what: Promise<T>): Promise<T> {
  return new Promise((yes, no) => {
    const timer = window.setTimeout(() => no(new TooSlow()), longest);
    what.then(yes, no).finally(() => window.clearTimeout(timer));
  });
}

interface LikenessProps {
  check: Check;
  advice: Advice | undefined;
  onAdvice(a: Advice): void;
}

export function LikenessPart({ check, advice, onAdvice }: LikenessProps) {
  const w = useFaceWords();
  const [part, setPart] = useState(-1); // of the model that is loaded; -1: it was not asked for
  const [failed, setFailed] = useState("");
  const pair = pairOf(check);
  const ask = async () => {
    if (!pair || part >= 0) return;
    setFailed("");
    setPart(0);
    try {
      const model = await loadModel(setPart);
      await new Promise((next) => requestAnimationFrame(() => setTimeout(next))); // that it looks is drawn before it does
      const [document, face] = await soon(
        (async () => [await model.look(await imageOf(check.id, pair.document.still.blob)), await model.look(await imageOf(check.id, pair.face.still.blob))] as const)(),
      );
      const faces: [number, number] = [document.faces, face.faces];
      if (!document.print || !face.print) onAdvice({ advice: true, word: "none", faces, model: modelName });
      else {
        const distance = Math.round(distanceOf(document.print, face.print) * 100) / 100;
        onAdvice({ advice: true, word: likenessOf(distance), distance, faces, model: modelName });
      }
    } catch (err) {
      console.warn("likeness:", err);
      setFailed(err instanceof TooSlow ? w.likenessSlow : w.likenessFailed);
    }
    setPart(-1);
  };
  return (
    <section class="likeness" aria-label={w.likeness}>
      <h4>{w.likeness}</h4>
      {!pair && <p class="soft">{w.likenessNeeds}</p>}
      {pair && !advice && part < 0 && (
        <>
          <p class="soft">{w.likenessWhat}</p>
          <button type="button" class="small" onClick={() => void ask()}>
            <Icon name="people" />
            {w.likenessAsk}
          </button>
        </>
      )}
      {part >= 0 && (
        <div class="likeness-loads" role="status">
          <progress max={100} value={Math.round(part * 100)} aria-label={w.likeness} />
          <span>{part < 1 ? w.likenessLoading(Math.round(part * 100)) : w.likenessLooks}</span>
        </div>
      )}
      {failed && (
        <p class="problem" role="alert">
          {failed}
        </p>
      )}
      {advice && pair && (
        <div role="status">
          {advice.word === "none" ? (
            <p class="problem">{w.likenessNoFace(kindOf(advice.faces[0] === 0 ? pair.document.step : pair.face.step, w))}</p>
          ) : (
            <p>
              <span class={`badge ${{ likely: "good", unsure: "warn", unlikely: "bad" }[advice.word]}`}>{w.likenessWords[advice.word]}</span> <span class="soft">{w.likenessScore(String(advice.distance ?? ""))}</span>
            </p>
          )}
          {advice.faces[1] > 1 && <p class="problem">{w.likenessMany(advice.faces[1], kindOf(pair.face.step, w))}</p>}
        </div>
      )}
      <p class="soft advice-note">{w.likenessAdvice}</p>
    </section>
  );
}
