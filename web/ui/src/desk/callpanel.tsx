// One call: who is in it and how they stand, and all that can be done with it, each by a key.
import { Icon } from "../staff/icon.tsx";
import type { IconName } from "../staff/icon.tsx";
import { useKeysOf } from "../staff/keys.tsx";
import { span } from "../staff/time.ts";
import { can } from "./can.ts";
import { Composer } from "./composer.tsx";
import { useDesk, useHeld, useNow, useRun } from "./context.tsx";
import type { DialogName } from "./dialogs.tsx";
import { FaceBody } from "./facebody.tsx";
import { settled } from "./faces.ts";
import { keys } from "./keylist.ts";
import type { KeyName } from "./keylist.ts";
import { Lines } from "./messages.tsx";
import { nameOf, useView } from "./names.ts";
import type { Party, Talk } from "./protocol.ts";
import { RoleLinks } from "./rolelinks.tsx";
import { runs } from "./sight.ts";
import { checkOf, here, upgradeOf } from "./store.ts";
import type { Item } from "./store.ts";
import { useDeskWords, useFaceWords } from "./words.ts";

export function CallPanel({ item, onDialog }: { item: Item; onDialog(name: DialogName): void }) {
  const w = useDeskWords();
  const fw = useFaceWords();
  const { hold, chosen, choose } = useDesk();
  const s = useHeld();
  const run = useRun();
  const { view } = useView(item.id);
  const talk = s.talks[item.id];
  const name = nameOf(view, w);
  const call = (what: string) => void run(hold.ask({ t: "call", task: item.id, do: what }));
  const open = (dialog: DialogName) => (choose(item.id), onDialog(dialog));
  const may = can(talk, s.name);
  const upgrade = upgradeOf(s, item);
  const check = checkOf(s, item);
  const release = () => void run(hold.ask({ t: "release", task: item.id, fence: item.fence }));
  return (
    <section class={`call ${chosen === item.id ? "chosen" : ""}`} aria-label={w.callOf(name)}>
      <header class="call-head">
        <Icon name="phone" />
        <h2>
          <button type="button" class="linkish" onClick={() => choose(item.id)}>
            {name}
          </button>
        </h2>
        <span class="soft">{item.task?.queue}</span>
        <Marks talk={talk} />
      </header>
      <Standing item={item} talk={talk} />
      {talk && <Parties talk={talk} me={s.name} onRemove={(leg) => void run(hold.ask({ t: "call", task: item.id, do: "remove", leg, why: "" }))} />}
      <RoleLinks task={item.id} />
      <div class="call-keys" role="toolbar" aria-label={w.call}>
        {may.held ? <Act icon="run" of="hold" label={w.resume} pressed onDo={() => call("resume")} /> : <Act icon="pause" of="hold" label={w.hold} off={!may.hold} onDo={() => call("hold")} />}
        <Act icon={may.muted ? "micOff" : "mic"} of="mute" label={may.muted ? w.unmute : w.mute} pressed={may.muted} off={!talk} onDo={() => call(may.muted ? "unmute" : "mute")} />
        <Act icon="keys" of="keypad" label={w.keypad} off={!may.keys} onDo={() => open("keypad")} />
        {may.consulting ? (
          <>
            <Act icon="swap" of="swap" label={w.swap} off={!may.both} onDo={() => call("swap")} />
            <Act icon="merge" of="merge" label={w.merge} off={!may.both || may.merged} onDo={() => call("merge")} />
            <Act icon="transfer" of="complete" label={w.complete} off={!may.both} main onDo={() => call("complete")} />
            <Act icon="close" of="drop" label={w.drop} onDo={() => call("drop")} />
          </>
        ) : (
          <Act icon="people" of="consult" label={w.consult} off={!may.consult} onDo={() => open("consult")} />
        )}
        <Act icon="right" of="transfer" label={w.transfer} onDo={() => open("transfer")} />
        <Act icon="flow" of="handBack" label={w.handBack} onDo={() => open("handBack")} />
        {talk?.lent ? <Act icon="back" of="takeOver" label={w.takeOver} onDo={() => open("takeOver")} /> : <Act icon="run" of="ask" label={w.askFlow} off={!talk} onDo={() => open("ask")} />}
        {runs(upgrade) === "" && <Act icon="video" of="video" label={fw.screenLink} off={!talk || upgrade?.state === "sent"} onDo={() => open("video")} />}
        {(!check || settled(check)) && <Act icon="shield" of="check" label={fw.check} off={!talk} onDo={() => open("check")} />}
        <Act icon="link" of="link" label={w.sendLink} onDo={() => open("link")} />
        <Act icon="swap" of="move" label={w.move} onDo={() => open("move")} />
        <Act icon="out" of="finish" label={w.hangUp} danger onDo={release} />
      </div>
      {(upgrade || check) && (
        <FaceBody item={item} onDialog={open}>
          {runs(upgrade) !== "" || (s.logs[item.id]?.list.length ?? 0) > 0 ? (
            <>
              <Lines task={item.id} live />
              <Composer item={item} />
            </>
          ) : null}
        </FaceBody>
      )}
    </section>
  );
}

// TalkKeys are the keys of a talk beside a chat: the chat has its own for handing on and ending.
// Who takes part is listed only where no pictures show it.
export function TalkKeys({ item, talk, pictures, onDialog }: { item: Item; talk: Talk; pictures: boolean; onDialog(name: DialogName): void }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  const s = useHeld();
  const run = useRun();
  const may = can(talk, s.name);
  const call = (what: string, leg?: string) => void run(hold.ask({ t: "call", task: item.id, do: what, ...(leg ? { leg, why: "" } : {}) }));
  return (
    <div class="talk-bar">
      <Standing item={item} talk={talk} />
      {(!pictures || talk.parties.length > 2) && <Parties talk={talk} me={s.name} onRemove={(leg) => call("remove", leg)} />}
      <RoleLinks task={item.id} />
      <div class="call-keys" role="toolbar" aria-label={w.call}>
        {may.held ? <Act icon="run" of="hold" label={w.resume} pressed onDo={() => call("resume")} /> : <Act icon="pause" of="hold" label={w.hold} off={!may.hold} onDo={() => call("hold")} />}
        <Act icon={may.muted ? "micOff" : "mic"} of="mute" label={may.muted ? w.unmute : w.mute} pressed={may.muted} onDo={() => call(may.muted ? "unmute" : "mute")} />
        {may.consulting ? (
          <>
            <Act icon="swap" of="swap" label={w.swap} off={!may.both} onDo={() => call("swap")} />
            <Act icon="merge" of="merge" label={w.merge} off={!may.both || may.merged} onDo={() => call("merge")} />
            <Act icon="close" of="drop" label={w.drop} onDo={() => call("drop")} />
          </>
        ) : (
          <Act icon="people" of="consult" label={w.consult} off={!may.consult} onDo={() => onDialog("consult")} />
        )}
      </div>
    </div>
  );
}

interface ActProps {
  icon: IconName;
  of: KeyName;
  label: string;
  off?: boolean;
  pressed?: boolean;
  main?: boolean;
  danger?: boolean;
  onDo(): void;
}

// Act is a button with its key. One that cannot be used now stays where the focus was.
function Act({ icon, of, label, off, pressed, main, danger, onDo }: ActProps) {
  const shown = useKeysOf();
  const chord = shown(keys[of]);
  return (
    <button type="button" class={`act ${main ? "main" : ""} ${danger ? "danger" : ""}`} aria-disabled={off ? "true" : undefined} aria-pressed={pressed === undefined ? undefined : pressed} title={`${label} (${chord})`} aria-keyshortcuts={chord.replaceAll("Ctrl", "Control")} onClick={() => !off && onDo()}>
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  );
}

// Standing says in a sentence how the call stands, where that is not plain.
function Standing({ item, talk }: { item: Item; talk: Talk | undefined }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  const asked = talk?.parties.find((p) => p.role === "specialist" && !p.guest);
  const customer = talk?.parties.find((p) => p.role === "customer");
  const who = asked?.name || asked?.number || "";
  const text = talk?.secret
    ? w.secret
    : talk?.lent
      ? w.lent
      : customer?.state === "cut"
        ? w.cutParty
        : asked && asked.state === "ringing"
          ? w.consultRings(who)
          : asked && customer?.held
            ? w.consulting(who)
            : !talk
              ? item.kind === "callback"
                ? w.dialling
                : w.connecting
              : customer?.state === "ringing"
                ? w.dialling
                : "";
  if (text === "" || hold.wire.state === "off") return null;
  return (
    <p class={`call-standing ${talk?.secret ? "secret" : ""}`} role="status">
      <Icon name={talk?.secret ? "eye" : "clock"} />
      {text}
    </p>
  );
}

function Marks({ talk }: { talk: Talk | undefined }) {
  const w = useDeskWords();
  if (!talk) return null;
  const recording = w.recording[talk.recording ?? ""];
  return (
    <span class="call-marks">
      {recording && <span class={`badge ${talk.recording === "on" ? "bad" : "warn"}`}>{recording}</span>}
      {talk.codec && <span class="tag">{talk.direct ? `${talk.codec}, ${w.direct}` : talk.codec}</span>}
    </span>
  );
}

// Parties are who is in a call; one who was asked in can be taken out.
export function Parties({ talk, me, onRemove }: { talk: Talk; me: string; onRemove?(leg: string): void }) {
  const w = useDeskWords();
  const s = useHeld();
  const now = useNow();
  const nameOfParty = (p: Party) => (p.name === me && me !== "" ? w.you : p.name || p.number || (w.roles[p.role] ?? p.role));
  return (
    <ul class="parties" aria-label={w.parties}>
      {talk.parties.map((p) => (
        <li key={p.leg} class={`party ${p.state} ${p.held ? "held" : ""}`}>
          <Icon name={p.muted ? "micOff" : p.held ? "pause" : p.camera ? "video" : p.device === "browser" ? "mic" : "phone"} />
          <span>
            <strong>{nameOfParty(p)}</strong> <span class="soft">{w.roles[p.role] ?? p.role}</span>
          </span>
          <span class="soft">
            {p.held ? w.onHold : p.muted ? w.muted : (w.partyStates[p.state] ?? p.state)}
            {p.since && !p.held && <span class="clock"> {span((now - here(p.since, s.skew)) / 1000)}</span>}
          </span>
          {onRemove && p.role === "specialist" && talk.parties.length > 2 && (
            <button type="button" class="quiet square" aria-label={w.remove(nameOfParty(p))} onClick={() => onRemove(p.leg)}>
              <Icon name="close" />
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
