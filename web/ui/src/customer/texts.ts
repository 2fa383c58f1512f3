// The texts of the demo's phone, asked from the simulator that plays the network
// (bridge/sms/simulator tells its API).
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Phone } from "./entries.ts";

export interface Text {
  id: string;
  rev: number;
  at: string;
  from: string;
  to: string;
  by_phone?: boolean;
  text?: string;
  template?: string;
  params?: Record<string, string>;
  state: string;
}

export interface Texts {
  list: Text[]; // the oldest first
  failed: boolean; // the simulator does not answer
  reply(text: string): Promise<boolean>; // whether it was taken
}

const askEvery = 1_000; // milliseconds, while the page is looked at
const askTime = 5_000;

// useTexts asks for what is new again and again.
export function useTexts(phone: Phone): Texts {
  const [list, setList] = useState<Text[]>([]);
  const [failed, setFailed] = useState(false);
  const rev = useRef(0);
  const again = useRef(() => {});
  const address = `${phone.url.replace(/\/$/, "")}/phones/${encodeURIComponent(phone.number)}`;

  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const ask = async () => {
      window.clearTimeout(timer);
      if (!document.hidden) {
        try {
          const answer = await fetch(`${address}/messages?after=${rev.current}`, { signal: AbortSignal.any([stop.signal, AbortSignal.timeout(askTime)]) });
          if (!answer.ok) throw new Error(`status ${answer.status}`);
          const { messages, rev: newest } = (await answer.json()) as { messages: Text[]; rev: number };
          const restarted = newest < rev.current; // it keeps nothing over a restart
          rev.current = restarted ? 0 : newest;
          if (restarted) setList([]);
          else if (messages.length > 0) setList((old) => [...old.filter((o) => !messages.some((m) => m.id === o.id)), ...messages].sort((a, b) => a.at.localeCompare(b.at)));
          setFailed(false);
        } catch {
          if (stop.signal.aborted) return;
          setFailed(true);
        }
      }
      window.clearTimeout(timer);
      if (!stop.signal.aborted) timer = window.setTimeout(ask, askEvery);
    };
    again.current = () => void ask();
    document.addEventListener("visibilitychange", ask);
    void ask();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, [address]);

  const reply = useCallback(
    async (text: string) => {
      try {
        const answer = await fetch(`${address}/reply`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text }), signal: AbortSignal.timeout(askTime) });
        again.current();
        return answer.ok;
      } catch {
        return false;
      }
    },
    [address],
  );
  return { list, failed, reply };
}
