// What several views of the widget use.
import { Component } from "preact";
import type { ComponentChildren } from "preact";
import { useEffect, useReducer, useState } from "preact/hooks";
import type { Api } from "./api.ts";
import type { Talk } from "./talk.ts";
import type { Language, Words } from "./words.ts";

// View is what every view is given.
export interface View {
  talk: Talk;
  api: Api;
  words: Words;
  language: Language;
}

// useTalk draws the view anew when the talk has changed.
export function useTalk(talk: Talk): void {
  const [, again] = useReducer<number, void>((n) => n + 1, 0);
  useEffect(() => talk.subscribe(() => again()), [talk]);
}

// useLater is true once on has been true for so many milliseconds.
export function useLater(on: boolean, ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!on) return;
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return on && late;
}

// Still draws what is in it only when one of the props is another.
export class Still extends Component<{ of: readonly unknown[]; draw(): ComponentChildren }> {
  override shouldComponentUpdate(next: { of: readonly unknown[] }): boolean {
    return next.of.some((v, i) => v !== this.props.of[i]);
  }
  override render() {
    return this.props.draw();
  }
}

// coarse reports whether the person uses a finger: then no keyboard is pushed up unasked.
export const coarse = () => matchMedia("(pointer: coarse)").matches;
