// The keypad of a call: digits go out as they are pressed, by the keyboard too.
import { useRef, useState } from "preact/hooks";
import { Dialog } from "../staff/dialog.tsx";
import { useDesk, useRun } from "./context.tsx";
import type { Item } from "./store.ts";
import { useDeskWords } from "./words.ts";

const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

export function KeypadDialog({ item, onClose }: { item: Item; onClose(): void }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  const run = useRun();
  const [sent, setSent] = useState("");
  const order = useRef<Promise<unknown>>(Promise.resolve()); // one after the other
  const press = (key: string) => {
    setSent((s) => (s + key).slice(-24));
    order.current = order.current.then(() => run(hold.ask({ t: "call", task: item.id, do: "keys", keys: key })));
  };
  return (
    <Dialog title={w.keypad} onClose={onClose}>
      <div
        class="keypad"
        onKeyDown={(e) => {
          if (!digits.includes(e.key) || e.altKey || e.ctrlKey || e.metaKey) return;
          e.preventDefault();
          press(e.key);
        }}
      >
        {digits.map((d, i) => (
          <button key={d} type="button" autofocus={i === 0} onClick={() => press(d)}>
            {d}
          </button>
        ))}
      </div>
      <p class="mono" role="status">
        {sent && w.keypadSent(sent)}
      </p>
    </Dialog>
  );
}
