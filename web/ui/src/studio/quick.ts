// The picture of a file that was just saved, before the page has read and checked the
// file itself: the server has drawn it from what it read already.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Language } from "../language.ts";
import { pathOf } from "../staff/api.ts";
import type { Api } from "../staff/api.ts";
import type { Drawn, Flow } from "./answers.ts";
import type { Checking } from "./check.ts";

// useQuick returns that picture, or "" once the check of the file itself has answered.
// turn grows when the file changes; wanted is false where another picture is shown.
export function useQuick(api: Api, flow: Flow | null, language: Language, turn: number, wanted: boolean, check: Checking): string {
  const [drawn, setDrawn] = useState("");
  const before = useRef(turn);
  const name = flow?.name ?? "";
  useLayoutEffect(() => {
    if (before.current === turn) return;
    before.current = turn;
    if (!wanted || name === "") return;
    const stop = new AbortController();
    api.get<Drawn>(`${pathOf("flows", name, "picture")}?lang=${language}`, stop.signal).then(
      (answer) => setDrawn(answer.picture),
      () => {
        // The check brings a picture anyway, or says why there is none.
      },
    );
    return () => stop.abort();
  }, [turn]);
  useLayoutEffect(() => setDrawn(""), [check.at]);
  return drawn;
}
