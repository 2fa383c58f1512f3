// The users of the staff pages: who they are, what they may, and when they were last here.
import { useState } from "preact/hooks";
import { useAnnounce } from "../staff/announce.tsx";
import type { ApiError } from "../staff/api.ts";
import { pathOf, useApi } from "../staff/api.ts";
import { Dialog } from "../staff/dialog.tsx";
import { Fault, Waiting, sentenceOf } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { asApiError, useLoad } from "../staff/load.ts";
import { roles } from "../staff/session.ts";
import type { Me, Role } from "../staff/session.ts";
import { useLanguage } from "../staff/settings.tsx";
import { dateTime } from "../staff/time.ts";
import { useStaffWords } from "../staff/words.ts";
import type { StaffUser } from "./answers.ts";
import { useStudioWords } from "./words.ts";

export function Users({ me }: { me: Me }) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const language = useLanguage();
  const api = useApi();
  const announce = useAnnounce();
  const list = useLoad<{ users: StaffUser[] }>((signal) => api.get("users", signal), [api]);
  const [adding, setAdding] = useState(false);
  const [editing, setEditing] = useState<StaffUser | null>(null);
  const [password, setPassword] = useState<{ name: string; password: string } | null>(null);
  const change = async (name: string, body: object, done: string) => {
    try {
      const answer = await api.post<{ password?: string } | undefined>(pathOf("users", name), body);
      announce(done);
      if (answer?.password) setPassword({ name, password: answer.password });
      list.reload();
    } catch (err) {
      announce(sentenceOf(asApiError(err), sw), "bad");
    }
  };
  return (
    <main class="page" id="content" tabIndex={-1}>
      <div class="page-head">
        <h1>{w.users}</h1>
        <button type="button" class="main" onClick={() => setAdding(true)}>
          <Icon name="plus" />
          {w.addUser}
        </button>
      </div>
      {list.error && <Fault error={list.error} onRetry={list.reload} />}
      {!list.value && !list.error && <Waiting />}
      {list.value && (
        <div class="table-scroll framed" tabIndex={0} role="group" aria-label={w.users}>
          <table class="stack" role="table">
            <thead>
              <tr>
                <th>{w.userName}</th>
                <th>{w.rolesLabel}</th>
                <th>{w.secondFactor}</th>
                <th>{w.lastLogin}</th>
                <th>{w.state}</th>
                <th>
                  <span class="unseen">{w.actions}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.value.users.map((u) => (
                <tr key={u.name} role="row">
                  <td role="cell" data-label={w.userName}>
                    <strong>{u.name}</strong>
                    {u.display && u.display !== u.name && <span class="soft block">{u.display}</span>}
                  </td>
                  <td role="cell" data-label={w.rolesLabel}>{u.roles.map((r) => sw.roles[r as Role] ?? r).join(sw.comma)}</td>
                  <td role="cell" data-label={w.secondFactor} class="nowrap">{u.totp ? w.on : w.off}</td>
                  <td role="cell" data-label={w.lastLogin} class="nowrap">{u.last_login ? dateTime(u.last_login, language) : w.never}</td>
                  <td role="cell" data-label={w.state} class="nowrap">
                    <span class={`badge ${u.disabled ? "bad" : "good"}`}>{u.disabled ? w.disabled : w.enabled}</span>
                  </td>
                  <td role="cell">
                    <div class="actions">
                      {u.name === me.user.name && <span class="soft">{w.ownUser}</span>}
                      {u.name !== me.user.name && !u.provider && (
                        <>
                          <button type="button" class="small" aria-label={w.editUser(u.name)} onClick={() => setEditing(u)}>
                            {w.edit}
                          </button>
                          <button type="button" class="small" aria-label={w.resetOf(u.name)} onClick={() => void change(u.name, { reset: true }, w.passwordReset(u.name))}>
                            {w.reset}
                          </button>
                        </>
                      )}
                      {u.name !== me.user.name && (
                        <button
                          type="button"
                          class="small"
                          aria-label={u.disabled ? w.enableOf(u.name) : w.disableOf(u.name)}
                          onClick={() => void change(u.name, { disabled: !u.disabled }, u.disabled ? w.userEnabled(u.name) : w.userDisabled(u.name))}
                        >
                          {u.disabled ? w.enable : w.disable}
                        </button>
                      )}
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {adding && (
        <AddUser
          onClose={() => setAdding(false)}
          onDone={(made) => {
            setAdding(false);
            setPassword(made);
            list.reload();
          }}
        />
      )}
      {editing && (
        <EditRoles
          user={editing}
          onClose={() => setEditing(null)}
          onDone={(chosen) => {
            void change(editing.name, { roles: chosen }, w.rolesChanged(editing.name));
            setEditing(null);
          }}
        />
      )}
      {password && (
        <Dialog
          title={w.oneTimeTitle(password.name)}
          onClose={() => setPassword(null)}
          footer={
            <>
              <button type="button" onClick={() => void navigator.clipboard?.writeText(password.password).then(() => announce(sw.copied))}>
                <Icon name="copy" />
                {sw.copy}
              </button>
              <button type="button" class="main" onClick={() => setPassword(null)}>
                {sw.close}
              </button>
            </>
          }
        >
          <p>{w.oneTime}</p>
          <p class="one-time">
            <code>{password.password}</code>
          </p>
        </Dialog>
      )}
    </main>
  );
}

function RoleBoxes({ chosen, onChange }: { chosen: readonly string[]; onChange(roles: string[]): void }) {
  const w = useStudioWords();
  const sw = useStaffWords();
  return (
    <fieldset class="boxes">
      <legend>{w.rolesLabel}</legend>
      {roles.map((r) => (
        <label key={r}>
          <input type="checkbox" checked={chosen.includes(r)} onChange={(e) => onChange(e.currentTarget.checked ? [...chosen, r] : chosen.filter((c) => c !== r))} />
          <span>
            {sw.roles[r]}
            <span class="soft block">{w.roleMeans[r]}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function AddUser({ onClose, onDone }: { onClose(): void; onDone(made: { name: string; password: string }): void }) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const api = useApi();
  const [name, setName] = useState("");
  const [display, setDisplay] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const [said, setSaid] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const submit = async (e: Event) => {
    e.preventDefault();
    setError(null);
    if (name.trim() === "") return setSaid(w.nameNeeded);
    if (chosen.length === 0) return setSaid(w.roleNeeded);
    setSaid("");
    try {
      const { password } = await api.post<{ password: string }>("users", { name: name.trim(), display: display.trim(), roles: chosen });
      onDone({ name: name.trim(), password });
    } catch (err) {
      setError(asApiError(err));
    }
  };
  return (
    <Dialog
      title={w.addUser}
      onClose={onClose}
      footer={
        <>
          <button type="button" onClick={onClose}>
            {sw.cancel}
          </button>
          <button type="submit" form="add-user" class="main">
            {w.addUser}
          </button>
        </>
      }
    >
      <form id="add-user" class="form" onSubmit={submit} noValidate>
        {error && <Fault error={error} />}
        <div class="field">
          <label for="user-name">{w.userName}</label>
          <input id="user-name" value={name} autocomplete="off" autocapitalize="none" spellcheck={false} onInput={(e) => setName(e.currentTarget.value)} />
        </div>
        <div class="field">
          <label for="user-display">{w.displayName}</label>
          <input id="user-display" value={display} autocomplete="off" onInput={(e) => setDisplay(e.currentTarget.value)} />
        </div>
        <RoleBoxes chosen={chosen} onChange={setChosen} />
        <p role="alert" class="bad-text">
          {said}
        </p>
      </form>
    </Dialog>
  );
}

function EditRoles({ user, onClose, onDone }: { user: StaffUser; onClose(): void; onDone(roles: string[]): void }) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const [chosen, setChosen] = useState(user.roles);
  return (
    <Dialog
      title={w.editUser(user.name)}
      onClose={onClose}
      footer={
        <>
          <button type="button" onClick={onClose}>
            {sw.cancel}
          </button>
          <button type="button" class="main" disabled={chosen.length === 0} onClick={() => onDone(chosen)}>
            {w.save}
          </button>
        </>
      }
    >
      <RoleBoxes chosen={chosen} onChange={setChosen} />
    </Dialog>
  );
}
