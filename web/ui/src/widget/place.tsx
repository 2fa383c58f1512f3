// The bar that tells how the person stands in line, with other ways to be served, and who
// serves them. It is one place that changes: nothing of it is a message.
import { useRef } from "preact/hooks";
import type { View } from "./hooks.ts";
import type { Standing } from "./protocol.ts";
import type { Words } from "./words.ts";

export function Place({ talk, words: w, language, onTaken }: { onTaken(): void } & View) {
  const s = talk.standing;
  const said = useRef({ key: "", text: "" });
  const text = s ? sentences(s, w) : [];
  // Told aloud when the place or who serves is another, not with each new guess at the wait.
  const key = s ? [language, s.state, s.position, s.agent].join() : "";
  if (said.current.key !== key) said.current = { key, text: text.join(" ") };
  return (
    <>
      <p class="unseen" role="status">
        {said.current.text}
      </p>
      {s && (
        <section class={`place ${s.state}`} aria-label={w.standing}>
          <p>
            {text.map((sentence, i) => (
              <span key={i}>{i === 0 ? <b>{sentence}</b> : sentence}</span>
            ))}
          </p>
          {s.state === "waiting" && s.offers && s.offers.length > 0 && (
            <div class="choices" role="group" aria-label={w.offers}>
              {s.offers.map((o) => (
                <button
                  type="button"
                  key={o.what + o.label}
                  onClick={() => {
                    talk.say(o.label);
                    onTaken();
                  }}
                >
                  {w.offer[o.what] ?? o.label}
                </button>
              ))}
            </div>
          )}
        </section>
      )}
    </>
  );
}

// sentences say a standing; of the wait, the least is rounded down and the most up.
export function sentences(s: Standing, w: Words): string[] {
  if (s.state === "served") return [s.agent ? w.served(s.agent) : w.servedBy];
  const place = s.position ? w.place(s.position) : w.inLine;
  const least = Math.floor((s.at_least ?? 0) / 60);
  const most = Math.ceil((s.at_most ?? 0) / 60);
  if (most <= 0) return [place];
  if (most === 1) return [place, w.waitShort];
  return [place, least <= 0 ? w.waitMost(most) : least >= most ? w.waitAbout(most) : w.waitBetween(least, most)];
}
