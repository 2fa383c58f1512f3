// Where on the board one is, as the address says it.
import { useEffect, useState } from "preact/hooks";

export const tabs = ["queues", "agents", "today", "flows", "alerts"] as const;
export type TabName = (typeof tabs)[number];

export interface Route {
  tab: TabName;
  of: URLSearchParams;
}

export function routeOf(hash: string): Route {
  const [name = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { tab: tabs.find((t) => t === name) ?? "queues", of: new URLSearchParams(query) };
}

export function hrefOf(tab: TabName, of: Record<string, string> = {}): string {
  const q = new URLSearchParams(Object.entries(of).filter(([, value]) => value !== ""));
  const text = q.toString();
  return `#/${tab}${text === "" ? "" : `?${text}`}`;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const run = () => setRoute(routeOf(location.hash));
    window.addEventListener("hashchange", run);
    return () => window.removeEventListener("hashchange", run);
  }, []);
  return route;
}

export function go(tab: TabName, of: Record<string, string> = {}): void {
  location.hash = hrefOf(tab, of);
}
