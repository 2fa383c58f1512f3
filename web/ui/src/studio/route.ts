// Where in the studio one is, kept in the address after "#": links and the browser's
// back button work, a reload stays.
import { useEffect, useState } from "preact/hooks";

export type Route =
  | { at: "flows" } // none chosen
  | { at: "flow"; name: string }
  | { at: "file"; file: string }
  | { at: "proposals"; id: string } // "" = the list
  | { at: "users" }
  | { at: "audit" }
  | { at: "account" };

export function parse(hash: string): Route {
  const [first = "", ...rest] = hash.replace(/^#\/?/, "").split("/");
  const tail = rest.map(decode).join("/");
  switch (first) {
    case "flow":
      return tail === "" ? { at: "flows" } : { at: "flow", name: tail };
    case "file":
      return tail === "" ? { at: "flows" } : { at: "file", file: tail };
    case "proposals":
      return { at: "proposals", id: tail };
    case "users":
    case "audit":
    case "account":
      return { at: first };
    default:
      return { at: "flows" };
  }
}

export function link(route: Route): string {
  switch (route.at) {
    case "flow":
      return `#/flow/${encodeURIComponent(route.name)}`;
    case "file":
      return `#/file/${route.file.split("/").map(encodeURIComponent).join("/")}`;
    case "proposals":
      return route.id === "" ? "#/proposals" : `#/proposals/${encodeURIComponent(route.id)}`;
    case "flows":
      return "#/";
    default:
      return `#/${route.at}`;
  }
}

export function go(route: Route): void {
  location.hash = link(route);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parse(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parse(location.hash));
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
