// The picture of the served version: with counts, or with the path of a past interaction.
import { useEffect } from "preact/hooks";
import { pathOf, useApi } from "../staff/api.ts";
import type { Loaded } from "../staff/load.ts";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import type { Drawn, Flow } from "./answers.ts";
import type { Mode } from "./picture/pane.tsx";

const countsEvery = 20_000; // milliseconds between two looks at the counts

// useDrawn asks for the served version's picture when one is wanted: with counts, or with
// the path of a past interaction. Counts are looked at again and again.
export function useDrawn(flow: Flow | null, mode: Mode, turn: number): Loaded<Drawn | null> {
  const api = useApi();
  const language = useLanguage();
  const name = flow?.name ?? "";
  const id = mode.kind === "past" ? mode.id : "";
  const drawn = useLoad<Drawn | null>(
    async (signal) => {
      if (mode.kind === "text" || name === "") return null;
      const query = new URLSearchParams({ lang: language });
      if (mode.kind === "past") {
        query.set("interaction", mode.id);
        if (mode.hash) query.set("version", mode.hash);
      } else query.set("span", mode.kind);
      return api.get<Drawn>(`${pathOf("flows", name, "picture")}?${query}`, signal);
    },
    [api, name, mode.kind, id, language],
  );
  useEffect(() => {
    if (turn > 0 && mode.kind !== "text") drawn.reload();
  }, [turn]);
  useEffect(() => {
    if (mode.kind !== "hour" && mode.kind !== "day") return;
    const timer = window.setInterval(() => {
      if (!document.hidden) drawn.reload();
    }, countsEvery);
    return () => window.clearInterval(timer);
  }, [mode.kind]);
  return drawn;
}
