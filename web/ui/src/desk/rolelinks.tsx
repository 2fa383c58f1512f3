// Links by which one colleague may come into a talk: made, copied, revoked, and seen to be used.
import { useEffect, useState } from "preact/hooks";
import { useAnnounce } from "../staff/announce.tsx";
import { Dialog } from "../staff/dialog.tsx";
import { Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { useLanguage } from "../staff/settings.tsx";
import { clock } from "../staff/time.ts";
import { useDesk, useHeld, useNow, useRun } from "./context.tsx";
import type { RoleLink } from "./faces.ts";
import { here } from "./store.ts";
import type { Item } from "./store.ts";
import { useFaceWords } from "./words.ts";

export function RoleLinkDialog({ item, role, onClose }: { item: Item; role: string; onClose(): void }) {
  const w = useFaceWords();
  const { hold } = useDesk();
  const s = useHeld();
  const run = useRun();
  const [id, setId] = useState("");
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    void run(hold.inviteBy(item.id, role).then((link) => setId(link.id))).then((ok) => setFailed(!ok));
  }, []);
  const link = (s.roleLinks[item.id] ?? []).find((l) => l.id === id);
  return (
    <Dialog title={w.roleLinkTitle} onClose={onClose}>
      <p>
        <strong>{w.roleLink[role]}</strong> <span class="soft">{w.roleLinkFacts[role]}</span>
      </p>
      <p class="soft">{w.roleLinkWhat}</p>
      {!link && !failed && <Waiting />}
      {link && <LinkField link={link} />}
      {link && <RoleLinkRow task={item.id} link={link} />}
    </Dialog>
  );
}

function LinkField({ link }: { link: RoleLink }) {
  const w = useFaceWords();
  const announce = useAnnounce();
  const address = link.url ? new URL(link.url, location.href).href : "";
  if (address === "") return null;
  const copy = () => navigator.clipboard.writeText(address).then(() => announce(w.copied), () => announce(w.copyBy, "bad"));
  return (
    <div class="link-field">
      <input readOnly value={address} aria-label={w.roleLinkTitle} onFocus={(e) => e.currentTarget.select()} />
      <button type="button" class="main" onClick={() => void copy()}>
        <Icon name="copy" />
        {w.copy}
      </button>
    </div>
  );
}

const stateOf = (l: RoleLink, now: number, skew: number): string => (l.used_by ? "used" : (l.state === "made" || l.state === "opened" || !l.state) && here(l.expires, skew) < now ? "expired" : l.state || "made");

export function RoleLinkRow({ task, link }: { task: string; link: RoleLink }) {
  const w = useFaceWords();
  const language = useLanguage();
  const { hold } = useDesk();
  const s = useHeld();
  const now = useNow();
  const run = useRun();
  const state = stateOf(link, now, s.skew);
  const open = state === "made" || state === "opened";
  return (
    <p class="role-link" data-state={state}>
      <Icon name="link" />
      <span>{w.guestRoles[link.role] ?? link.role}</span>
      <span class={`badge ${state === "used" ? "good" : state === "opened" ? "warn" : ""}`}>{state === "used" && link.used_by ? w.usedBy(link.used_by) : (w.roleLinkStates[state] ?? state)}</span>
      {open && <span class="soft">{w.holdsUntil(clock(link.expires, language).slice(0, 5))}</span>}
      {open && (
        <button type="button" class="small danger" onClick={() => void run(hold.revoke(task, link), w.revoked)}>
          {w.revoke}
        </button>
      )}
    </p>
  );
}

// RoleLinks are those of a talk, as long as they say something.
export function RoleLinks({ task }: { task: string }) {
  const w = useFaceWords();
  const s = useHeld();
  const now = useNow();
  const links = (s.roleLinks[task] ?? []).filter((l) => ["made", "opened", "used"].includes(stateOf(l, now, s.skew)));
  if (links.length === 0) return null;
  return (
    <div class="role-links" role="group" aria-label={w.roleLinks}>
      {links.map((l) => (
        <RoleLinkRow key={l.id} task={task} link={l} />
      ))}
    </div>
  );
}
