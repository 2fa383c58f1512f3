// The wall screen: what a room has to see, large, and nothing to press.
import { useEffect, useRef } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { Icon } from "../staff/icon.tsx";
import { useLoad } from "../staff/load.ts";
import { Strip } from "./alerts.tsx";
import type { History } from "./answers.ts";
import { Age } from "./board.tsx";
import { useLive } from "./context.tsx";
import { Drawn } from "./plots.tsx";
import { Queues } from "./queues.tsx";
import { Tiles } from "./tiles.tsx";
import { useBoardWords } from "./words.ts";

const again = 60_000; // milliseconds between readings of the plots

export function Wall({ onLeave }: { onLeave(): void }) {
  const w = useBoardWords();
  const api = useApi();
  const live = useLive();
  const history = useLoad<History>((signal) => api.get("board/history", signal), [api]);
  const reload = useRef(history.reload);
  reload.current = history.reload;
  useEffect(() => {
    const timer = window.setInterval(() => reload.current(), again);
    void document.documentElement.requestFullscreen?.().catch(() => {}); // a browser may refuse
    return () => {
      window.clearInterval(timer);
      if (document.fullscreenElement) void document.exitFullscreen().catch(() => {});
    };
  }, []);
  return (
    <div class="board wall">
      <main id="content" tabIndex={-1} aria-label={w.wall}>
        <header class="wall-head">
          <h1>Tandem</h1>
          <Age />
          <button type="button" onClick={onLeave} title={`${w.wallOff} (F)`}>
            <Icon name="close" />
            {w.wallOff}
          </button>
        </header>
        {live.wire.state === "lost" && live.at > 0 && (
          <p class="lost" role="alert">
            <Icon name="warning" />
            {w.stale}
          </p>
        )}
        <Strip />
        {live.at > 0 && (
          <>
            <Tiles />
            <Queues />
          </>
        )}
        {history.value && <Drawn h={history.value} small />}
      </main>
    </div>
  );
}
