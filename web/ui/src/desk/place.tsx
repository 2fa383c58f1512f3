// Places a call to a number.
import { useState } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { Dialog } from "../staff/dialog.tsx";
import { Icon } from "../staff/icon.tsx";
import { useLoad } from "../staff/load.ts";
import type { Directory } from "./answers.ts";
import { useDesk, useRun } from "./context.tsx";
import { useDeskWords } from "./words.ts";

export function PlaceDialog({ onClose }: { onClose(): void }) {
  const w = useDeskWords();
  const api = useApi();
  const { hold } = useDesk();
  const run = useRun();
  const directory = useLoad<Directory>((signal) => api.get("directory", signal), [api]);
  const [number, setNumber] = useState("");
  const [queue, setQueue] = useState("");
  const queues = directory.value?.queues ?? [];
  const go = async (e: Event) => {
    e.preventDefault();
    const to = number.replace(/[ ()-]/g, "");
    if (to === "") return;
    const of = queue || queues[0]?.name;
    if (await run(hold.ask({ t: "place", to, ...(of ? { queue: of } : {}) }))) onClose();
  };
  return (
    <Dialog title={w.place} onClose={onClose}>
      <form class="form" onSubmit={go}>
        <div class="field">
          <label for="place-number">{w.placeNumber}</label>
          <input id="place-number" type="tel" autocomplete="off" value={number} onInput={(e) => setNumber(e.currentTarget.value)} aria-describedby="place-hint" />
          <span class="hint" id="place-hint">
            {w.placeHint}
          </span>
        </div>
        {queues.length > 1 && (
          <div class="field">
            <label for="place-queue">{w.placeQueue}</label>
            <select id="place-queue" value={queue || queues[0]?.name} onChange={(e) => setQueue(e.currentTarget.value)}>
              {queues.map((q) => (
                <option key={q.name}>{q.name}</option>
              ))}
            </select>
          </div>
        )}
        <div class="actions">
          <button type="submit" class="main" aria-disabled={number.trim() === ""}>
            <Icon name="phone" />
            {w.placeGo}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
