// What all parts of the board share: the picture, who looks, and what is open beside it.
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { TaskKind } from "../desk/protocol.ts";
import type { Ear } from "./ear.ts";
import type { Live } from "./live.ts";

// Behind says which contacts are wanted: those in line, those of today, or those at a step.
export type Behind =
  | { of: "line"; title: string; queue: string; kind: TaskKind | ""; state: string; agent: string }
  | { of: "past"; title: string; queue: string; kind: TaskKind | ""; what: "answered" | "left" | "" }
  | { of: "step"; title: string; flow: string; step: string };

export interface Around {
  live: Live;
  ear: Ear;
  acts: boolean; // may do something, not look only
  show(b: Behind): void;
  tell(id: string): void; // opens a contact's story by its interaction
  picture(flow: string, interaction: string, number: string): void; // shows a way on a flow's picture
}

export const AroundContext = createContext<Around | null>(null);

export function useAround(): Around {
  const around = useContext(AroundContext);
  if (!around) throw new Error("no board around this");
  return around;
}

// useLive draws anew with every picture.
export function useLive(): Live {
  const { live } = useAround();
  const [, draw] = useState(0);
  useEffect(() => live.subscribe(() => draw((n) => n + 1)), [live]);
  return live;
}

// useClock draws anew every so many milliseconds.
export function useClock(every: number): void {
  const [, draw] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => draw((n) => n + 1), every);
    return () => window.clearInterval(timer);
  }, [every]);
}
