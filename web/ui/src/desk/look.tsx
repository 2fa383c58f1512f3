// What is kept of an interaction and can be seen or heard: a recording, a still of a check. A
// reason is asked for first; the server writes the look down before it answers.
import { useId, useState } from "preact/hooks";
import { Icon } from "../staff/icon.tsx";
import { dataOf } from "./check/stills.tsx";
import { Why } from "./check/parts.tsx";
import { useFaceWords } from "./words.ts";

interface KeptEvent {
  kind: string;
  data?: Record<string, unknown>;
}

interface Kept {
  path: string;
  picture: boolean;
  video: boolean;
}

const idOf = (v: unknown): string => (typeof v === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(v) ? v : "");

// keptOf is what an event says is kept.
export function keptOf(interaction: string, e: KeptEvent): Kept | null {
  const blob = idOf(e.data?.["blob"]);
  if (blob === "") return null;
  const check = idOf(e.data?.["check"]);
  if (e.kind === "check.evidence" && check) return { path: `/api/v1/checks/${check}/evidence/${blob}`, picture: true, video: false };
  if (e.kind !== "recording.kept") return null;
  return { path: `/api/v1/interactions/${interaction}/media/${blob}`, picture: false, video: String(e.data?.["media_type"] ?? "").startsWith("video/") };
}

// LookAt offers what is kept to those who may have it: recordings to supervisors, stills also
// to who has the customer.
export function LookAt({ interaction, event, plays, looks }: { interaction: string; event: KeptEvent; plays: boolean; looks: boolean }) {
  const w = useFaceWords();
  const id = useId();
  const [asking, setAsking] = useState(false);
  const [shown, setShown] = useState("");
  const [wrong, setWrong] = useState("");
  const kept = keptOf(interaction, event);
  if (!kept || !(kept.picture ? looks : plays)) return null; // the server refuses it
  const open = async (why: string) => {
    const path = `${kept.path}?why=${encodeURIComponent(why)}`;
    setWrong("");
    setAsking(false);
    if (!kept.picture) return setShown(path);
    try {
      const answer = await fetch(path, { credentials: "same-origin", cache: "no-store" });
      if (!answer.ok) return setWrong(refused(answer.status));
      setShown(await dataOf(await answer.blob()));
    } catch {
      setWrong(w.stillFailed);
    }
  };
  // Players do not say why something cannot be played; the server does.
  const unplayed = async () => {
    setShown("");
    const status = await fetch(shown, { credentials: "same-origin", cache: "no-store", headers: { range: "bytes=0-0" } }).then((a) => a.status, () => 0);
    setWrong(refused(status));
  };
  const refused = (status: number) => (status === 403 ? w.keptForbidden : status === 404 || status === 410 ? w.keptGone : kept.picture ? w.stillFailed : w.playFailed);
  return (
    <span class="look">
      {!asking && !shown && (
        <button type="button" class="small" onClick={() => setAsking(true)}>
          <Icon name={kept.picture ? "eye" : "run"} />
          {kept.picture ? w.look : w.play}
        </button>
      )}
      {asking && <Why id={`look-${id}`} question={kept.picture ? w.lookWhy : w.playWhy} go={kept.picture ? w.lookGo : w.playGo} onGo={(why) => void open(why)} onCancel={() => setAsking(false)} />}
      {wrong && (
        <span class="problem" role="alert">
          {wrong}
        </span>
      )}
      {shown && kept.picture && <img src={shown} alt={w.evidence} />}
      {shown && !kept.picture && kept.video && <video controls preload="metadata" src={shown} aria-label={w.recording} onError={() => void unplayed()} />}
      {shown && !kept.picture && !kept.video && <audio controls preload="metadata" src={shown} aria-label={w.recording} onError={() => void unplayed()} />}
    </span>
  );
}
