// A talk of somebody else's that the agent was asked into: they hear and see what their role
// lets them, read along, and can leave; nothing of the task is theirs to do.
import { Icon } from "../staff/icon.tsx";
import { useKeysOf } from "../staff/keys.tsx";
import { Parties } from "./callpanel.tsx";
import { useDesk, useHeld, useRun } from "./context.tsx";
import { keys } from "./keylist.ts";
import { Lines } from "./messages.tsx";
import type { Talk } from "./protocol.ts";
import { runs } from "./sight.ts";
import { Stage } from "./stage.tsx";
import { standingOf } from "./standing.ts";
import { useDeskWords, useFaceWords } from "./words.ts";

export function Joined({ talk }: { talk: Talk }) {
  const w = useDeskWords();
  const fw = useFaceWords();
  const { hold } = useDesk();
  const s = useHeld();
  const run = useRun();
  const shown = useKeysOf();
  const me = talk.parties.find((p) => p.name === s.name && p.role !== "customer");
  const upgrade = s.upgrades[talk.interaction];
  const pictures = runs(upgrade) === "video";
  const listens = me?.role === "listener";
  const written = s.logs[talk.task]?.list.length ?? 0;
  const stands = upgrade ? standingOf(upgrade, s.name, fw) : undefined;
  return (
    <section class="call guest" aria-label={fw.guestOf(talk.agent)} data-role={me?.role}>
      <header class="call-head">
        <Icon name={listens ? "eye" : "people"} />
        <h2>{fw.guestOf(talk.agent)}</h2>
        <span class="badge">{fw.guestRoles[me?.role ?? ""] ?? w.roles[me?.role ?? ""]}</span>
      </header>
      {me && fw.guestWhat[me.role] && <p class="soft">{fw.guestWhat[me.role]}</p>}
      <div class={`face-body ${pictures ? "pictures" : ""}`} data-tab="chat">
        <div class="lead-side">
          {stands?.mood === "fallen" && (
            <p class="face-strip fallen" role="alert">
              <Icon name="warning" />
              {stands.text}
            </p>
          )}
          {pictures && <Stage interaction={talk.interaction} customer={w.roles["customer"]!} upgrade={upgrade} talk={talk} />}
          <Parties talk={talk} me={s.name} />
          <div class="call-keys">
            {!listens && me && (
              <button type="button" class="act" aria-pressed={me.muted === true} title={`${me.muted ? w.unmute : w.mute} (${shown(keys.mute)})`} onClick={() => void run(hold.ask({ t: "call", task: talk.task, do: me.muted ? "unmute" : "mute" }))}>
                <Icon name={me.muted ? "micOff" : "mic"} />
                <span>{me.muted ? w.unmute : w.mute}</span>
              </button>
            )}
            <button type="button" class="act danger" onClick={() => void run(hold.ask({ t: "call", task: talk.task, do: "leave" }))}>
              <Icon name="out" />
              <span>{w.leave}</span>
            </button>
          </div>
        </div>
        {(written > 0 || upgrade) && <div class="talk-side">{written > 0 ? <Lines task={talk.task} live /> : <p class="empty">{fw.noChat}</p>}</div>}
      </div>
    </section>
  );
}
