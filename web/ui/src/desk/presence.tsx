// What the agent has chosen to be, with the reason, and whether they can be reached.
import { Icon } from "../staff/icon.tsx";
import { useLanguage } from "../staff/settings.tsx";
import { span } from "../staff/time.ts";
import { useStaffWords } from "../staff/words.ts";
import type { Standing } from "./answers.ts";
import { useDesk, useHeld, useNow, useRun } from "./context.tsx";
import { Sheet } from "./menu.tsx";
import type { Agent, Load } from "./protocol.ts";
import { here } from "./store.ts";
import { namedIn, useDeskWords } from "./words.ts";
import type { DeskWords } from "./words.ts";
import type { Language } from "../language.ts";

export function PresenceMenu() {
  const w = useDeskWords();
  const sw = useStaffWords();
  const language = useLanguage();
  const { hold, standing } = useDesk();
  const s = useHeld();
  const now = useNow();
  const run = useRun();
  const me = s.me ?? standing?.agent ?? null;
  if (!me) return null;
  const label = labelOf(me, standing, w, language);
  const since = here(me.since, s.skew);
  const missing = unreachableOf(me);
  const choose = (close: () => void, presence: Agent["presence"], reason?: string) => {
    close();
    void run(hold.presence(presence, reason));
  };
  return (
    <Sheet
      id="presence"
      class="presence"
      label={
        <>
          <span class={`dot ${me.presence} ${missing.length > 0 ? "part" : ""}`} aria-hidden="true" />
          <span class="unseen">{w.presence} </span>
          <span class="presence-label">{label}</span>
          {since > 0 && <span class="clock soft" aria-hidden="true">{span((now - since) / 1000)}</span>}
          <Icon name="down" />
        </>
      }
    >
      {(close) => (
        <>
          <Pick on={me.presence === "available"} state="available" label={w.presences["available"]!} onPick={() => choose(close, "available")} />
          {(standing?.reasons.length ? standing.reasons : [null]).map((r) => (
            <Pick
              key={r?.name ?? ""}
              on={me.presence === "away" && (me.reason ?? "") === (r?.name ?? "")}
              state="away"
              label={r ? w.awayFor(namedIn(r, language)) : w.presences["away"]!}
              onPick={() => choose(close, "away", r?.name)}
            />
          ))}
          <Pick on={me.presence === "offline"} state="offline" label={w.presences["offline"]!} onPick={() => choose(close, "offline")} />
          <p class="soft reach">{missing.length === 0 ? w.reachableAll : w.notReachable(missing.map((l) => w.loads[l] ?? l).join(sw.comma))}</p>
          {(me.missed ?? 0) > 0 && <p class="soft reach">{w.missedOffers(me.missed ?? 0)}</p>}
        </>
      )}
    </Sheet>
  );
}

function Pick({ on, state, label, onPick }: { on: boolean; state: string; label: string; onPick(): void }) {
  return (
    <button type="button" class="plain" aria-pressed={on} onClick={onPick}>
      <span class={`dot ${state}`} aria-hidden="true" />
      {label}
    </button>
  );
}

// labelOf is what the agent is now, in words.
function labelOf(me: Agent, standing: Standing | null, w: DeskWords, language: Language): string {
  if (me.presence !== "away") return w.presences[me.presence] ?? me.presence;
  if (me.reason === missed) return w.awayMissed;
  const reason = standing?.reasons.find((r) => r.name === me.reason);
  return reason ? namedIn(reason, language) : (me.reason ?? w.presences["away"]!);
}

// missed is the reason of the line's own: offers were let pass too often.
export const missed = "missed";

// unreachableOf is what the agent would take and cannot be reached for.
export function unreachableOf(me: Agent): Load[] {
  const wanted = (["voice", "chat", "sms", "work"] as const).filter((l) => (me.capacity[l] ?? 1) > 0);
  return wanted.filter((l) => me.reachable[l] !== true);
}

// otherPresence is what the key changes to: available from anything else, else away for the
// first reason.
export function otherPresence(me: Agent | null, standing: Standing | null): { presence: Agent["presence"]; reason?: string } {
  if (me?.presence !== "available") return { presence: "available" };
  const reason = standing?.reasons[0]?.name;
  return { presence: "away", ...(reason ? { reason } : {}) };
}
