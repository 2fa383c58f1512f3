// Keeps somebody signed in who uses a page that asks for little by HTTP: what goes over its
// socket does not count as use of the login.
import { useEffect, useRef } from "preact/hooks";
import { useApi } from "./api.ts";

export const every = 40_000; // milliseconds; the shortest time without a request after which a login ends is 1 minute
const uses = ["pointerdown", "keydown", "wheel"] as const;

// Awake asks at each look if the page was used since the last, or is wanted all the time.
export class Awake {
  wanted = false;
  private used = false;

  constructor(private readonly ask: () => void) {}

  use(): void {
    this.used = true;
  }

  look(): void {
    if (this.used || this.wanted) this.ask();
    this.used = false;
  }
}

// useAwake has the login go on, up to its longest time, while somebody uses the page, or it is
// wanted without that: the agent is on duty, the board hangs on a wall.
export function useAwake(wanted: boolean): void {
  const api = useApi();
  const awake = useRef<Awake | null>(null);
  awake.current ??= new Awake(() => void api.get("me").catch(() => {})); // who is signed in no more is led to the login
  awake.current.wanted = wanted;
  useEffect(() => {
    const use = () => awake.current?.use();
    const timer = window.setInterval(() => awake.current?.look(), every);
    for (const what of uses) window.addEventListener(what, use, { capture: true, passive: true });
    return () => {
      window.clearInterval(timer);
      for (const what of uses) window.removeEventListener(what, use, { capture: true });
    };
  }, []);
}
