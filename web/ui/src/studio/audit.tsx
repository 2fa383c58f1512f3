// The audit log: who did what, when, from where; each entry is tied to the one before.
import { useState } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { Fault, Waiting } from "../staff/fault.tsx";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import { dateTime } from "../staff/time.ts";
import type { AuditEntry } from "./answers.ts";
import { useStudioWords } from "./words.ts";

interface Page {
  entries: AuditEntry[];
  verified: boolean;
}

export function Audit() {
  const w = useStudioWords();
  const language = useLanguage();
  const api = useApi();
  const [before, setBefore] = useState<number[]>([]);
  const at = before.at(-1);
  const page = useLoad<Page>((signal) => api.get(at === undefined ? "audit" : `audit?before=${at}`, signal), [api, at]);
  const entries = page.value?.entries ?? [];
  return (
    <main class="page" id="content" tabIndex={-1}>
      <div class="page-head">
        <h1>{w.audit}</h1>
        {page.value && <span class={`badge ${page.value.verified ? "good" : "bad"}`}>{page.value.verified ? w.auditWhole : w.auditBroken}</span>}
      </div>
      {page.error && <Fault error={page.error} onRetry={page.reload} />}
      {!page.value && !page.error && <Waiting />}
      {page.value && entries.length === 0 && <p class="empty">{w.noAudit}</p>}
      {entries.length > 0 && (
        <div class="table-scroll framed" tabIndex={0} role="group" aria-label={w.audit}>
          <table class="stack" role="table">
            <thead>
              <tr>
                <th class="number">{w.number}</th>
                <th>{w.when}</th>
                <th>{w.who}</th>
                <th>{w.what}</th>
                <th>{w.object}</th>
                <th>{w.detail}</th>
                <th>{w.source}</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((e) => (
                <tr key={e.n} role="row">
                  <td role="cell" data-label={w.number} class="number">{e.n}</td>
                  <td role="cell" data-label={w.when} class="nowrap">{dateTime(e.at, language)}</td>
                  <td role="cell" data-label={w.who} class="nowrap">{e.actor}</td>
                  <td role="cell" data-label={w.what} class="nowrap">
                    {w.auditActions[e.action] ?? <code>{e.action}</code>}
                  </td>
                  <td role="cell" data-label={w.object} class="wrap">{e.object}</td>
                  <td role="cell" data-label={w.detail} class="wrap">{w.auditDetails[e.detail] ?? e.detail}</td>
                  <td role="cell" data-label={w.source} class="nowrap">{e.source}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {page.value && (
        <div class="actions pager">
          <button type="button" disabled={before.length === 0} onClick={() => setBefore((b) => b.slice(0, -1))}>
            {w.newer}
          </button>
          <button type="button" disabled={entries.length === 0 || (entries.at(-1)?.n ?? 0) <= 1} onClick={() => setBefore((b) => [...b, entries.at(-1)?.n ?? 0])}>
            {w.older}
          </button>
        </div>
      )}
    </main>
  );
}
