// What things and people are called on the page.
import { useApi } from "../staff/api.ts";
import { useEffect, useState } from "preact/hooks";
import type { CustomerView } from "./answers.ts";
import { useHeld } from "./context.tsx";
import { isAddress } from "./reach.ts";
import { readable } from "./store.ts";
import type { State, Item } from "./store.ts";
import { useDeskWords } from "./words.ts";
import type { DeskWords } from "./words.ts";

// nameIn finds a person's name among what is known of them.
export function nameIn(details: Record<string, unknown> | undefined): string {
  for (const key of ["name", "customer_name", "full_name", "display", "姓名"]) {
    const v = details?.[key];
    if (typeof v === "string" && v.trim() !== "") return v;
  }
  return "";
}

// nameOf is what a customer is called: their name, where they come from, or neither.
export function nameOf(view: CustomerView | null | undefined, w: DeskWords): string {
  const { from = "", number = "" } = view?.interaction ?? {};
  return nameIn(view?.details) || (isAddress(from) ? from : number ? w.visitor(number) : w.unknownCustomer);
}

interface Known {
  at: number; // the turn it was read at
  view: CustomerView | null;
  wait: Promise<void> | null;
}

const views = new Map<string, Known>(); // of tasks seen lately
const mostViews = 40; // the oldest go
const listeners = new Set<() => void>();

// useView is the customer's one view of a task: read once for all parts of the page, and
// anew when something about it happened. What was read stays while it is read anew.
export function useView(task: string): { view: CustomerView | null; reload(): void } {
  const api = useApi();
  const s: State = useHeld();
  const [, draw] = useState(0);
  const turn = s.turn[task] ?? 0;
  const may = readable(s, task);
  useEffect(() => {
    const run = () => draw((n) => n + 1);
    listeners.add(run);
    return () => void listeners.delete(run);
  }, []);
  const read = (at: number) => {
    const known = views.get(task) ?? { at: -1, view: null, wait: null };
    if (known.wait || known.at >= at) return;
    known.wait = api.get<CustomerView>(`tasks/${task}/customer`).then(
      (view) => {
        Object.assign(known, { view, at, wait: null });
        for (const run of listeners) run();
      },
      () => {
        Object.assign(known, { at, wait: null }); // it is asked again when something happens
        for (const run of listeners) run();
      },
    );
    views.delete(task);
    views.set(task, known);
    for (const old of [...views.keys()].slice(0, Math.max(0, views.size - mostViews))) views.delete(old);
  };
  const known = views.get(task);
  useEffect(() => {
    if (may) read(turn);
  }, [task, turn, may, known?.wait === null]);
  return { view: known?.view ?? null, reload: () => may && (known && (known.at = -1), read(turn)) };
}

// useTitle is what something in the list is called.
export function useTitle(item: Item): string {
  const w = useDeskWords();
  const { view } = useView(item.id);
  const name = nameOf(view, w);
  if (item.kind === "ticket" && item.task?.ticket) return `${item.task.ticket} · ${name}`;
  return name;
}
