// One list of everything that is offered, in work and to be written up: calls, chats, texts,
// voicemails and tickets together.
import { Icon } from "../staff/icon.tsx";
import type { IconName } from "../staff/icon.tsx";
import { useKeysOf } from "../staff/keys.tsx";
import { span } from "../staff/time.ts";
import { useDesk, useHeld, useNow, useRun } from "./context.tsx";
import type { DialogName } from "./dialogs.tsx";
import { keys } from "./keylist.ts";
import { useTitle, useView } from "./names.ts";
import type { Invite, TaskKind } from "./protocol.ts";
import { here, keyOf, listed, types, unread } from "./store.ts";
import type { Item } from "./store.ts";
import { useDeskWords } from "./words.ts";

export const iconOf: Record<TaskKind, IconName> = { call: "phone", chat: "chat", sms: "sms", callback: "callback", voicemail: "voicemail", ticket: "ticket" };

export function List({ onDialog }: { onDialog(name: DialogName): void }) {
  const w = useDeskWords();
  const s = useHeld();
  const shown = useKeysOf();
  const items = listed(s);
  const invites = Object.values(s.invites);
  const group = (label: string, stage: Item["stage"]) => {
    const some = items.filter((i) => i.stage === stage);
    if (some.length === 0) return null;
    return (
      <section class={`group ${stage}`} aria-label={label}>
        <h3>{label}</h3>
        <ul>
          {some.map((i) => (
            <Row key={keyOf(i)} item={i} nth={items.indexOf(i) + 1} />
          ))}
        </ul>
      </section>
    );
  };
  return (
    <section class="desk-list" id="list" tabIndex={-1} aria-label={w.list}>
      <header class="pane-head">
        <h2>{w.list}</h2>
        <button type="button" class="small" onClick={() => onDialog("place")} title={`${w.place} (${shown(keys.place)})`}>
          <Icon name="phone" />
          {w.place}
        </button>
      </header>
      {invites.map((i) => (
        <InviteCard key={i.id} invite={i} />
      ))}
      {items.length === 0 && invites.length === 0 && <p class="empty">{s.me?.presence === "away" ? w.listEmptyAway : s.me?.presence === "offline" ? w.listEmptyOffline : w.listEmpty}</p>}
      {group(w.offers, "offered")}
      {group(w.inWork, "assigned")}
      {group(w.wrapUps, "wrapping")}
    </section>
  );
}

function Row({ item, nth }: { item: Item; nth: number }) {
  const w = useDeskWords();
  const { chosen, choose } = useDesk();
  const s = useHeld();
  const now = useNow();
  const title = useTitle(item);
  const { view } = useView(item.id);
  const queue = item.task?.queue ?? view?.task.queue;
  const more = unread(s, item.id);
  const talk = s.talks[item.id];
  const late = item.until > 0 && item.until - now < 10_000;
  return (
    <li class={`row ${item.stage}`}>
      <button type="button" class="row-main" aria-current={chosen === item.id ? "true" : undefined} onClick={() => choose(item.id)}>
        <span class="row-icon">
          <Icon name={iconOf[item.kind]} />
        </span>
        <span class="row-text">
          <span class="row-title">{title}</span>
          <span class="row-facts soft">
            {w.kinds[item.kind] ?? item.kind}
            {queue && ` · ${queue}`}
            {talk?.parties.some((p) => p.role === "customer" && p.held) && <span class="badge warn">{w.held}</span>}
            {types(s, item.id, now) && <span class="typing">{w.typing}</span>}
          </span>
        </span>
        <span class="row-end">
          <span class={`clock ${late ? "late" : ""}`}>{clockOf(item, now, s.skew)}</span>
          {more > 0 && (
            <span class="badge bad">
              <span aria-hidden="true">{more}</span>
              <span class="unseen">{w.unread(more)}</span>
            </span>
          )}
          {nth < 10 && more === 0 && <kbd aria-hidden="true">{nth}</kbd>}
        </span>
      </button>
      {item.stage === "offered" && <Answers item={item} small />}
    </li>
  );
}

// clockOf is the time that matters of something: what is left of an offer or a wrap-up, how
// long a talk has gone on.
function clockOf(item: Item, now: number, skew: number): string {
  if (item.stage === "assigned") return span((now - (item.since || here(item.task?.since, skew) || now)) / 1000);
  return item.until > 0 ? span((item.until - now) / 1000) : "";
}

// Answers are the two things one can do with an offer.
export function Answers({ item, small }: { item: Item; small?: boolean }) {
  const w = useDeskWords();
  const { hold, choose, chosen } = useDesk();
  const s = useHeld();
  const run = useRun();
  const shown = useKeysOf();
  const offers = listed(s).filter((i) => i.stage === "offered");
  const first = (offers.find((i) => i.id === chosen) ?? offers[0])?.id === item.id; // the keys are for one of them
  return (
    <span class="answers">
      <button type="button" class={`main accept ${small ? "small" : ""}`} title={shown(keys.accept)} onClick={() => (choose(item.id), void run(hold.ask({ t: "accept", task: item.id, fence: item.fence })))}>
        <Icon name="check" />
        {w.accept}
        {!small && first && <kbd>{shown(keys.accept)}</kbd>}
      </button>
      <button type="button" class={small ? "small" : ""} title={shown(keys.decline)} onClick={() => void run(hold.ask({ t: "decline", task: item.id, fence: item.fence }))}>
        {w.decline}
        {!small && first && <kbd>{shown(keys.decline)}</kbd>}
      </button>
    </span>
  );
}

function InviteCard({ invite }: { invite: Invite }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  const s = useHeld();
  const now = useNow();
  const run = useRun();
  const until = here(invite.until, s.skew);
  return (
    <div class="invite" role="group" aria-label={w.inviteTitle(invite.from)}>
      <p>
        <Icon name="people" />
        <strong>{w.inviteTitle(invite.from)}</strong>
        {until > 0 && <span class="clock">{span((until - now) / 1000)}</span>}
      </p>
      <span class="answers">
        <button type="button" class="main accept small" onClick={() => void run(hold.ask({ t: "invite", invite: invite.id, accept: true }))}>
          <Icon name="check" />
          {w.inviteAccept}
        </button>
        <button type="button" class="small" onClick={() => void run(hold.ask({ t: "invite", invite: invite.id, accept: false }))}>
          {w.decline}
        </button>
      </span>
    </div>
  );
}
