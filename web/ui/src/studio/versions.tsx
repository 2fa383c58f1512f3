// The versions of a flow: any two compared, and the way back to an older one.
import { useEffect, useState } from "preact/hooks";
import { useAnnounce } from "../staff/announce.tsx";
import type { ApiError } from "../staff/api.ts";
import { pathOf, useApi } from "../staff/api.ts";
import { Dialog } from "../staff/dialog.tsx";
import { Fault, Waiting } from "../staff/fault.tsx";
import { asApiError, useLoad } from "../staff/load.ts";
import { has } from "../staff/session.ts";
import type { Me } from "../staff/session.ts";
import { useLanguage } from "../staff/settings.tsx";
import { dateTime } from "../staff/time.ts";
import { useStaffWords } from "../staff/words.ts";
import type { Difference, Flow, Proposed, Version } from "./answers.ts";
import { DifferenceView } from "./difference.tsx";
import type { Live } from "./live.ts";
import { useStudioWords } from "./words.ts";

interface Props {
  me: Me;
  flow: Flow;
  live: Live;
  onPublished(): void;
}

export function Versions({ me, flow, live, onPublished }: Props) {
  const w = useStudioWords();
  const language = useLanguage();
  const api = useApi();
  const list = useLoad<{ versions: Version[] }>((signal) => api.get(pathOf("flows", flow.name, "versions"), signal), [api, flow.name]);
  const [comparing, setComparing] = useState<{ from: string; to: string } | null>(null);
  const [back, setBack] = useState<Version | null>(null);
  useEffect(() => {
    if (live.flows > 0) list.reload();
  }, [live.flows]);
  if (list.error) return <Fault error={list.error} onRetry={list.reload} />;
  if (!list.value) return <Waiting />;
  const versions = list.value.versions ?? [];
  if (versions.length === 0) return <p class="empty">{w.noVersions}</p>;
  const current = versions.find((v) => v.current) ?? versions[0]!;
  return (
    <>
      <div class="table-scroll">
        <table class="versions stack" role="table">
          <thead>
            <tr>
              <th class="number">{w.version}</th>
              <th>{w.when}</th>
              <th>{w.by}</th>
              <th>{w.note}</th>
              <th>
                <span class="unseen">{w.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {versions.map((v, i) => (
              <tr key={`${v.hash}:${v.number}`} role="row">
                <td role="cell" data-label={w.version} class="number">
                  {v.number}
                  {v.current && <span class="badge good">{w.current}</span>}
                </td>
                <td role="cell" data-label={w.when} class="nowrap">{dateTime(v.at, language)}</td>
                <td role="cell" data-label={w.by} class="nowrap">{v.by}</td>
                <td role="cell" data-label={w.note} class="wide">{v.note}</td>
                <td role="cell">
                  <div class="actions">
                    {versions.length > 1 && (
                      <button
                        type="button"
                        class="small"
                        aria-label={w.compareVersion(v.number)}
                        onClick={() => setComparing(v.current ? { from: versions[i + 1]?.hash ?? versions.find((x) => x.hash !== v.hash)?.hash ?? v.hash, to: v.hash } : { from: v.hash, to: current.hash })}
                      >
                        {w.compare}
                      </button>
                    )}
                    {!v.current && v.hash !== current.hash && has(me.user, "designer") && (
                      <button type="button" class="small" aria-label={w.rollBackTo(v.number)} onClick={() => setBack(v)}>
                        {w.rollBack}
                      </button>
                    )}
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {comparing && <Compare flow={flow} versions={versions} first={comparing} onClose={() => setComparing(null)} />}
      {back && (
        <RollBack
          me={me}
          flow={flow}
          version={back}
          current={current}
          onClose={() => setBack(null)}
          onDone={() => {
            setBack(null);
            list.reload();
            onPublished();
          }}
        />
      )}
    </>
  );
}

function useDifference(flow: string, from: string, to: string) {
  const api = useApi();
  const language = useLanguage();
  return useLoad<Difference>(
    (signal) => api.get(`${pathOf("flows", flow, "difference")}?${new URLSearchParams({ from, to, lang: language })}`, signal),
    [api, flow, from, to, language],
  );
}

function Compare({ flow, versions, first, onClose }: { flow: Flow; versions: readonly Version[]; first: { from: string; to: string }; onClose(): void }) {
  const w = useStudioWords();
  const language = useLanguage();
  const [from, setFrom] = useState(first.from);
  const [to, setTo] = useState(first.to);
  const difference = useDifference(flow.name, from, to);
  const named = (hash: string) => {
    const v = versions.find((x) => x.hash === hash);
    return v ? w.versionNumber(v.number) : hash.slice(0, 8);
  };
  const pick = (label: string, value: string, set: (hash: string) => void) => (
    <label class="field inline">
      <span>{label}</span>
      <select value={value} onChange={(e) => set(e.currentTarget.value)}>
        {versions.map((v) => (
          <option key={`${v.hash}:${v.number}`} value={v.hash}>
            {w.versionOption(v.number, dateTime(v.at, language), v.by)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Dialog title={w.compareTitle(flow.name)} size="wide" onClose={onClose}>
      <div class="pickers">
        {pick(w.from, from, setFrom)}
        {pick(w.to, to, setTo)}
      </div>
      {difference.error && <Fault error={difference.error} onRetry={difference.reload} />}
      {!difference.value && !difference.error && <Waiting />}
      {difference.value && <DifferenceView difference={difference.value} from={named(from)} to={named(to)} name={flow.name} />}
    </Dialog>
  );
}

function RollBack({ me, flow, version, current, onClose, onDone }: { me: Me; flow: Flow; version: Version; current: Version; onClose(): void; onDone(): void }) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const api = useApi();
  const announce = useAnnounce();
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const difference = useDifference(flow.name, current.hash, version.hash);
  const act = async () => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const done = await api.post<Proposed>(pathOf("flows", flow.name, "rollback"), { hash: version.hash, note: note.trim() || w.rollBackNote(version.number) });
      announce(done.state === "published" ? w.rolledBack(version.number) : w.proposed);
      onDone();
    } catch (err) {
      setBusy(false);
      setError(asApiError(err));
    }
  };
  return (
    <Dialog
      title={w.rollBackTo(version.number)}
      size="wide"
      onClose={onClose}
      footer={
        <>
          <button type="button" onClick={onClose}>
            {sw.cancel}
          </button>
          <button type="button" class="main" aria-disabled={busy} onClick={() => void act()}>
            {me.second_person ? w.propose : w.rollBack}
          </button>
        </>
      }
    >
      <p>{w.rollBackWhat}</p>
      {error && <Fault error={error} />}
      <div class="field">
        <label for="rollback-note">{w.note}</label>
        <input id="rollback-note" value={note} placeholder={w.rollBackNote(version.number)} onInput={(e) => setNote(e.currentTarget.value)} />
      </div>
      {difference.error && <Fault error={difference.error} onRetry={difference.reload} />}
      {!difference.value && !difference.error && <Waiting />}
      {difference.value && <DifferenceView difference={difference.value} from={w.versionNumber(current.number)} to={w.versionNumber(version.number)} name={flow.name} />}
    </Dialog>
  );
}
