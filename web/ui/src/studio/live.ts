// The stream of what changes on the server: files saved or published, proposals made or
// decided. Whoever listens asks anew; the stream itself carries no content.
import { useEffect, useRef, useState } from "preact/hooks";

export interface Live {
  connected: boolean;
  lost: boolean; // long enough to tell of it
  flows: number; // grows with every change of a file
  proposals: number; // grows with every change of a proposal
  touched: Readonly<Record<string, number>>; // flows as it was when a file last changed
  all: number; // and when any may have
  at: Date | null; // when the last change came
}

const tellAfter = 3_000; // milliseconds without the stream until the page says so
const retryAfter = 2_000; // milliseconds until a stream that the browser gave up is opened anew

export function useLive(onBack: () => void): Live {
  const [live, setLive] = useState<Live>({ connected: false, lost: false, flows: 0, proposals: 0, touched: {}, all: 0, at: null });
  const back = useRef(onBack);
  back.current = onBack;
  useEffect(() => {
    let source: EventSource;
    let telling = 0;
    let retrying = 0;
    let wasLost = false;
    const lose = () => {
      setLive((l) => ({ ...l, connected: false }));
      wasLost = true;
      if (telling === 0) telling = window.setTimeout(() => setLive((l) => ({ ...l, lost: !l.connected })), tellAfter);
      if (source.readyState === EventSource.CLOSED) {
        window.clearTimeout(retrying);
        retrying = window.setTimeout(open, retryAfter);
      }
    };
    const open = () => {
      source = new EventSource("/api/v1/events");
      source.onopen = () => {
        window.clearTimeout(telling);
        telling = 0;
        // What happened while the stream was gone was not told: ask for everything.
        setLive((l) => (wasLost ? { ...l, connected: true, lost: false, flows: l.flows + 1, proposals: l.proposals + 1, all: l.flows + 1 } : { ...l, connected: true, lost: false }));
        if (wasLost) back.current();
        wasLost = false;
      };
      source.onerror = lose;
      source.addEventListener("flows", (e) => setLive((l) => changed(l, changedIn(e))));
      source.addEventListener("proposals", () => setLive((l) => ({ ...l, proposals: l.proposals + 1, at: new Date() })));
    };
    open();
    return () => {
      window.clearTimeout(telling);
      window.clearTimeout(retrying);
      source.close();
    };
  }, []);
  return live;
}

// turnOf grows when a file changes, turnBeside when any other does.
export function turnOf(live: Live, file: string): number {
  return Math.max(live.all, live.touched[file] ?? 0);
}

export function turnBeside(live: Live, file: string): number {
  return Math.max(live.all, ...Object.entries(live.touched).map(([name, turn]) => (name === file ? 0 : turn)));
}

function changed(l: Live, files: readonly string[]): Live {
  const flows = l.flows + 1;
  const touched = { ...l.touched, ...Object.fromEntries(files.map((file) => [file, flows])) };
  return { ...l, flows, touched, all: files.length === 0 ? flows : l.all, at: new Date() };
}

function changedIn(e: MessageEvent): string[] {
  try {
    const told = JSON.parse(String(e.data)) as { changed?: unknown };
    return Array.isArray(told.changed) ? told.changed.map(String) : [];
  } catch {
    return [];
  }
}
