// How fresh the page is: a mark in the bar, a banner when the stream is lost.
import { clock } from "../staff/time.ts";
import { useLanguage } from "../staff/settings.tsx";
import type { Live } from "./live.ts";
import { useStudioWords } from "./words.ts";

export function LiveMark({ live }: { live: Live }) {
  const w = useStudioWords();
  const language = useLanguage();
  const text = live.lost ? w.streamLostShort : live.at ? w.changedAt(clock(live.at, language)) : w.watching;
  return (
    <p class={`live-mark ${live.lost ? "lost" : ""}`} title={w.watchingWhat}>
      <span class="live-dot" aria-hidden="true" />
      <span class="live-text">{text}</span>
    </p>
  );
}

export function LostBanner({ live }: { live: Live }) {
  const w = useStudioWords();
  return <div role="status">{live.lost && <p class="banner warn">{w.streamLost}</p>}</div>;
}
