// Takes a customer out of a flow's step, with the reason that is written down.
import { useState } from "preact/hooks";
import { Dialog } from "../staff/dialog.tsx";
import { useDesk, useRun } from "./context.tsx";
import { useView } from "./names.ts";
import type { Item } from "./store.ts";
import { useDeskWords } from "./words.ts";

export function TakeOverDialog({ item, onClose }: { item: Item; onClose(): void }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  const run = useRun();
  const { view } = useView(item.id);
  const [why, setWhy] = useState("");
  const interaction = item.task?.interaction ?? view?.interaction.id ?? "";
  const go = async (e: Event) => {
    e.preventDefault();
    if (why.trim() !== "" && (await run(hold.ask({ t: "take_over", interaction, why: why.trim() })))) onClose();
  };
  return (
    <Dialog title={w.takeOverTitle} onClose={onClose}>
      <form class="form" onSubmit={go}>
        <p class="soft">{w.takeOverWhat}</p>
        <div class="field">
          <label for="take-over-why">{w.takeOverWhy}</label>
          <input id="take-over-why" maxLength={500} value={why} onInput={(e) => setWhy(e.currentTarget.value)} />
        </div>
        <div class="actions">
          <button type="submit" class="main" aria-disabled={why.trim() === "" || interaction === ""}>
            {w.takeOver}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
