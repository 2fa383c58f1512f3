// The page that a role link opens: who asks in, to what, as what; nothing is used before it is
// pressed. The link's secret stands behind the # of the address, which no server is told.
import { useState } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { Dialog } from "../staff/dialog.tsx";
import { Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import { clock } from "../staff/time.ts";
import { useChanges, useDesk, useHeld, useRun } from "./context.tsx";
import type { Guest } from "./faces.ts";
import { useFaceWords } from "./words.ts";

const place = "tandem.desk.join";

// keepJoin takes the secret of a link that the page was opened by out of the address, so that
// it stays in no history, and keeps it over a login in this tab.
export function keepJoin(): void {
  const token = /^#join=([A-Za-z0-9_-]{16,128})$/.exec(location.hash)?.[1];
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    sessionStorage.setItem(place, token);
  } catch {
    memory = token; // storage is refused in some private windows
  }
}

let memory = "";

// joinToken is that secret; forgetJoin has it no more, used or not.
export function joinToken(): string {
  try {
    return sessionStorage.getItem(place) ?? memory;
  } catch {
    return memory;
  }
}

export function forgetJoin(): void {
  memory = "";
  try {
    sessionStorage.removeItem(place);
  } catch {
    // It was never there.
  }
}

export function JoinDialog({ token, onClose, onSound }: { token: string; onClose(): void; onSound(): void }) {
  const w = useFaceWords();
  const api = useApi();
  const language = useLanguage();
  const { hold, seat } = useDesk();
  useHeld();
  useChanges(seat);
  const run = useRun();
  const [busy, setBusy] = useState(false);
  const guest = useLoad<Guest>((signal) => api.post("role_links/look", { token }, signal), [api, token]);
  const none = guest.error?.code === "not_found";
  const g = guest.value;
  const join = async () => {
    if (busy) return;
    setBusy(true);
    if (await run(hold.ask({ t: "join", token }), w.joined)) onClose();
    else {
      setBusy(false);
      guest.reload();
    }
  };
  return (
    <Dialog title={w.joinTitle} onClose={onClose}>
      {!g && !guest.error && <Waiting />}
      {none && <p role="alert">{w.joinNone}</p>}
      {g && (
        <>
          <p class="join-from">
            <Icon name="people" />
            <strong>{w.joinFrom(g.display || g.from, g.role)}</strong>
          </p>
          <dl class="facts">
            {g.number && (
              <div>
                <dt>{w.joinNumber}</dt>
                <dd class="mono">{g.number}</dd>
              </div>
            )}
            {g.queue && (
              <div>
                <dt>{w.joinQueue}</dt>
                <dd>{g.queue}</dd>
              </div>
            )}
          </dl>
        </>
      )}
      {!none && (g || guest.error) && (
        <>
          {!g && <p>{w.joinUnknown}</p>}
          <p class="soft">{w.joinMay[g?.role ?? ""] ?? w.joinMay[""]}</p>
          {seat.state !== "up" && (
            <p class="stage-note warn">
              <span>{w.noSeat}</span>
              <button type="button" class="small" onClick={onSound}>
                {w.setUp}
              </button>
            </p>
          )}
          {g && <p class="soft">{w.joinUntil(clock(g.expires, language).slice(0, 5))}</p>}
          <div class="actions">
            <button type="button" class="main" aria-disabled={busy || hold.wire.state !== "up" ? "true" : undefined} onClick={() => hold.wire.state === "up" && void join()}>
              <Icon name="check" />
              {w.join}
            </button>
            <button type="button" onClick={onClose}>
              {w.joinNot}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
