// Changes that wait for a second person, and what became of earlier ones.
import { useEffect, useState } from "preact/hooks";
import { useAnnounce } from "../staff/announce.tsx";
import { pathOf, useApi } from "../staff/api.ts";
import { Dialog } from "../staff/dialog.tsx";
import { Fault, Waiting, sentenceOf } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import type { Loaded } from "../staff/load.ts";
import { asApiError, useLoad } from "../staff/load.ts";
import { has } from "../staff/session.ts";
import type { Me } from "../staff/session.ts";
import { useLanguage } from "../staff/settings.tsx";
import { dateTime } from "../staff/time.ts";
import { useStaffWords } from "../staff/words.ts";
import type { Proposal, ProposalDetail } from "./answers.ts";
import { DifferenceView } from "./difference.tsx";
import type { Live } from "./live.ts";
import { go, link } from "./route.ts";
import { useStudioWords } from "./words.ts";

interface Props {
  me: Me;
  id: string;
  list: Loaded<{ proposals: Proposal[] }>;
  live: Live;
}

export function Proposals({ me, id, list, live }: Props) {
  const w = useStudioWords();
  const language = useLanguage();
  const all = list.value?.proposals ?? [];
  return (
    <main class={`page split-page ${id ? "has-open" : ""}`} id="content" tabIndex={-1}>
      <div class="split-list">
        <h1>{w.proposals}</h1>
        {list.error && <Fault error={list.error} onRetry={list.reload} />}
        {!list.value && !list.error && <Waiting />}
        {list.value && all.length === 0 && <p class="empty">{w.noProposals}</p>}
        <ul class="proposal-list">
          {[...all].sort((a, b) => Number(b.state === "open") - Number(a.state === "open")).map((p) => (
            <li key={p.id}>
              <a href={link({ at: "proposals", id: p.id })} aria-current={p.id === id ? "true" : undefined}>
                <span class="row-name">
                  {p.flow || p.file}
                  <StateBadge state={p.state} />
                </span>
                <span>{p.note || w.withoutNote}</span>
                <span class="row-sub">{w.byAt(p.by, dateTime(p.at, language))}</span>
              </a>
            </li>
          ))}
        </ul>
      </div>
      {id ? <Review key={id} me={me} id={id} live={live} onDecided={list.reload} /> : all.length > 0 && <p class="empty split-none">{w.chooseProposal}</p>}
    </main>
  );
}

function StateBadge({ state }: { state: Proposal["state"] }) {
  const w = useStudioWords();
  return <span class={`badge ${{ open: "warn", published: "good", refused: "bad" }[state]}`}>{w.states[state]}</span>;
}

function Review({ me, id, live, onDecided }: { me: Me; id: string; live: Live; onDecided(): void }) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const language = useLanguage();
  const api = useApi();
  const announce = useAnnounce();
  const [refusing, setRefusing] = useState(false);
  const [busy, setBusy] = useState(false);
  const detail = useLoad<ProposalDetail>((signal) => api.get(`${pathOf("proposals", id)}?lang=${language}`, signal), [api, id, language]);
  useEffect(() => {
    if (live.proposals > 0) detail.reload();
  }, [live.proposals]);
  if (detail.error) return <Fault error={detail.error} onRetry={detail.reload} />;
  const p = detail.value;
  if (!p) return <Waiting />;
  const own = me.second_person && p.by === me.user.name;
  const errors = (p.diagnostics ?? []).filter((d) => d.severity === "error");
  const decide = async (how: "publish" | "refuse", body: object) => {
    if (busy) return false;
    setBusy(true);
    try {
      await api.post(pathOf("proposals", id, how), body);
      announce(how === "publish" ? w.publishedOther : w.refusedDone);
      onDecided();
      detail.reload();
      return true;
    } catch (err) {
      const failed = asApiError(err);
      announce(failed.code === "conflict" ? w.proposalConflict : sentenceOf(failed, sw), "bad");
      return false;
    } finally {
      setBusy(false);
    }
  };
  return (
    <article class="review" aria-label={w.review(p.flow || p.file)}>
      <header class="review-head">
        <button type="button" class="quiet square back" aria-label={w.backToList} onClick={() => go({ at: "proposals", id: "" })}>
          <Icon name="left" />
        </button>
        <div>
          <h2>
            {p.flow || p.file} <StateBadge state={p.state} />
          </h2>
          <p class="soft">{w.byAt(p.by, dateTime(p.at, language))}</p>
        </div>
        {p.state === "open" && has(me.user, "designer") && (
          <div class="actions">
            <button type="button" onClick={() => setRefusing(true)}>
              {own ? w.withdraw : w.refuse}
            </button>
            <button type="button" class="main" disabled={own || errors.length > 0} aria-disabled={busy} onClick={() => void decide("publish", {})}>
              <Icon name="publish" />
              {w.publish}
            </button>
          </div>
        )}
      </header>
      {p.note && <blockquote>{p.note}</blockquote>}
      {p.state !== "open" && <p class="soft">{w.decided(p.state, p.decided_by, dateTime(p.decided_at, language))}</p>}
      {p.why && <blockquote>{p.why}</blockquote>}
      {p.state === "open" && own && <p class="banner">{w.ownProposal}</p>}
      {p.state === "open" && errors.length > 0 && <p class="banner bad">{w.errorsFirst(errors.length)}</p>}
      {p.difference && <DifferenceView difference={p.difference} from={w.before} to={w.proposedText} name={p.id} />}
      {refusing && (
        <Refuse
          own={own}
          onClose={() => setRefusing(false)}
          onRefuse={async (why) => {
            if (await decide("refuse", { why })) setRefusing(false);
          }}
        />
      )}
    </article>
  );
}

function Refuse({ own, onClose, onRefuse }: { own: boolean; onClose(): void; onRefuse(why: string): Promise<void> }) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const [why, setWhy] = useState("");
  const [need, setNeed] = useState(false);
  const act = () => {
    if (why.trim() === "") setNeed(true);
    else void onRefuse(why.trim());
  };
  return (
    <Dialog
      title={own ? w.withdraw : w.refuse}
      onClose={onClose}
      footer={
        <>
          <button type="button" onClick={onClose}>
            {sw.cancel}
          </button>
          <button type="button" class="main" onClick={act}>
            {own ? w.withdraw : w.refuse}
          </button>
        </>
      }
    >
      <div class="field">
        <label for="refuse-why">{w.why}</label>
        <textarea id="refuse-why" rows={3} value={why} aria-invalid={need && why.trim() === ""} aria-describedby="refuse-hint" onInput={(e) => setWhy(e.currentTarget.value)} />
        <span class={`hint ${need && why.trim() === "" ? "bad-text" : ""}`} id="refuse-hint">
          {need && why.trim() === "" ? w.whyNeeded : w.whyHint}
        </span>
      </div>
    </Dialog>
  );
}
