// Goes on with the customer by another channel.
import { Dialog } from "../staff/dialog.tsx";
import { Icon } from "../staff/icon.tsx";
import { useDesk, useRun } from "./context.tsx";
import { useView } from "./names.ts";
import { reachable } from "./reach.ts";
import type { Item } from "./store.ts";
import { useDeskWords } from "./words.ts";

export function MoveDialog({ item, onClose }: { item: Item; onClose(): void }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  const run = useRun();
  const { view } = useView(item.id);
  const ways = (["chat", "sms"] as const).filter((to) => to !== item.kind);
  const go = async (what: Promise<unknown>, done?: string) => {
    if (await run(what, done)) onClose();
  };
  return (
    <Dialog title={w.moveTitle} onClose={onClose}>
      <p class="soft">{w.moveWhat}</p>
      <div class="actions">
        {ways.map((to) => (
          <button key={to} type="button" class="main" onClick={() => void go(hold.ask({ t: "move", task: item.id, to }), w.moved)}>
            <Icon name={to} />
            {w.channels[to]}
          </button>
        ))}
        {(item.kind === "chat" || item.kind === "sms") && reachable(view) && (
          <button type="button" onClick={() => void go(hold.ask({ t: "place", interaction: item.task?.interaction ?? "" }))}>
            <Icon name="phone" />
            {w.callCustomer}
          </button>
        )}
      </div>
    </Dialog>
  );
}
