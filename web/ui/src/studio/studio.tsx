// The studio: who is here, where they are, and the page for that place.
import { useEffect, useMemo } from "preact/hooks";
import { Api, ApiContext, useApi } from "../staff/api.ts";
import { TopBar } from "../staff/bar.tsx";
import type { Place } from "../staff/bar.tsx";
import { Fault, Waiting } from "../staff/fault.tsx";
import { useLoad } from "../staff/load.ts";
import { pagesOf, thenOf } from "../staff/places.ts";
import { has } from "../staff/session.ts";
import type { Me, User } from "../staff/session.ts";
import { languageOf, useSettings } from "../staff/settings.tsx";
import { useAccountActions } from "../staff/signedin.tsx";
import { SkipLink } from "../staff/skip.tsx";
import { useStaffWords } from "../staff/words.ts";
import type { StaffWords } from "../staff/words.ts";
import { Account, MustChange, MustSetUp } from "./account.tsx";
import type { Overview, Proposal } from "./answers.ts";
import { Audit } from "./audit.tsx";
import { FlowsPage } from "./flows.tsx";
import { useLive } from "./live.ts";
import { Proposals } from "./proposals.tsx";
import { link, useRoute } from "./route.ts";
import { LiveMark, LostBanner } from "./stream.tsx";
import { Users } from "./users.tsx";
import { useStudioWords } from "./words.ts";

const login = "/login";

export function Studio() {
  const api = useMemo(() => new Api(() => location.assign(login)), []);
  const { chooseLanguage } = useSettings();
  const me = useLoad<Me>(
    async (signal) => {
      const who = await api.get<Me>("me", signal);
      api.trust(who.csrf);
      return who;
    },
    [api],
  );
  const kept = me.value?.user.lang;
  useEffect(() => {
    const language = kept && languageOf(kept);
    if (language) chooseLanguage(language);
  }, [kept]);
  if (me.error?.code === "login") {
    location.replace(login);
    return <Waiting />;
  }
  if (me.error) return <Fault error={me.error} onRetry={me.reload} />;
  if (!me.value) return <Waiting />;
  const { must_change, must_totp } = me.value.user;
  return (
    <ApiContext.Provider value={api}>
      {must_change || must_totp ? <First me={me.value} onDone={me.reload} /> : <SignedIn me={me.value} onChanged={me.reload} />}
    </ApiContext.Provider>
  );
}

// First is what has to be done before anything else is open.
function First({ me, onDone }: { me: Me; onDone(): void }) {
  const actions = useAccountActions();
  const then = thenOf(location.search);
  const done = then ? () => location.replace(then) : onDone; // that page sends back here if more is to be done
  return (
    <div class="studio">
      <TopBar user={me.user} places={[]} {...actions} />
      {me.user.must_change ? <MustChange onDone={done} /> : <MustSetUp onDone={done} />}
    </div>
  );
}

const flowReaders = ["designer", "supervisor", "operator", "auditor"] as const;

function SignedIn({ me, onChanged }: { me: Me; onChanged(): void }) {
  const mayRead = has(me.user, ...flowReaders);
  return mayRead ? <Reader me={me} onChanged={onChanged} /> : <NoFlows me={me} onChanged={onChanged} />;
}

function Reader({ me, onChanged }: { me: Me; onChanged(): void }) {
  const w = useStudioWords();
  const api = useApi();
  const route = useRoute();
  const actions = useAccountActions();
  const live = useLive(onChanged);
  const overview = useLoad<Overview>((signal) => api.get("flows", signal), [api]);
  const proposals = useLoad<{ proposals: Proposal[] }>((signal) => api.get("proposals", signal), [api]);
  useEffect(() => {
    if (live.flows > 0) overview.reload();
  }, [live.flows]);
  useEffect(() => {
    if (live.proposals > 0) proposals.reload();
  }, [live.proposals]);
  const open = proposals.value?.proposals.filter((p) => p.state === "open").length ?? 0;
  const sw = useStaffWords();
  const inFlows = route.at === "flows" || route.at === "flow" || route.at === "file";
  const places: Place[] = [
    ...elsewhere(me.user, sw),
    { href: route.at === "flow" || route.at === "file" ? link(route) : link({ at: "flows" }), label: w.flows, current: inFlows },
    { href: link({ at: "proposals", id: "" }), label: w.proposals, current: route.at === "proposals", badge: open, meaning: w.openProposals(open) },
  ];
  if (has(me.user, "operator")) places.push({ href: link({ at: "users" }), label: w.users, current: route.at === "users" });
  if (has(me.user, "auditor", "operator")) places.push({ href: link({ at: "audit" }), label: w.audit, current: route.at === "audit" });
  useEffect(() => {
    const here = route.at === "flow" ? route.name : route.at === "file" ? route.file : (places.find((p) => p.current)?.label ?? w.account);
    document.title = w.titled(here);
  }, [route, w]);
  return (
    <div class="studio">
      <SkipLink to="content" />
      <TopBar user={me.user} places={places} account={link({ at: "account" })} {...actions}>
        <LiveMark live={live} />
      </TopBar>
      <LostBanner live={live} />
      {inFlows && <FlowsPage me={me} route={route} overview={overview} live={live} />}
      {route.at === "proposals" && <Proposals me={me} id={route.id} list={proposals} live={live} />}
      {route.at === "users" && (has(me.user, "operator") ? <Users me={me} /> : <Closed />)}
      {route.at === "audit" && (has(me.user, "auditor", "operator") ? <Audit /> : <Closed />)}
      {route.at === "account" && <Account me={me} onChanged={onChanged} onLanguage={actions.onLanguage} />}
    </div>
  );
}

// elsewhere are the ways to the other pages that somebody reaches.
const elsewhere = (user: User, sw: StaffWords): Place[] => pagesOf(user, "studio", sw).filter((p) => !p.current);

// NoFlows is what a user sees whose roles do not reach the flows.
function NoFlows({ me, onChanged }: { me: Me; onChanged(): void }) {
  const sw = useStaffWords();
  const route = useRoute();
  const actions = useAccountActions();
  return (
    <div class="studio">
      <TopBar user={me.user} places={elsewhere(me.user, sw)} account={link({ at: "account" })} {...actions} />
      {route.at === "account" ? <Account me={me} onChanged={onChanged} onLanguage={actions.onLanguage} /> : <Closed />}
    </div>
  );
}

function Closed() {
  const w = useStudioWords();
  return (
    <main class="page" id="content" tabIndex={-1}>
      <h1>{w.closedTitle}</h1>
      <p>{w.closed}</p>
    </main>
  );
}
