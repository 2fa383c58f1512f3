// The desk of an agent who is signed in: it makes the parts, and lays them out.
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { useAwake } from "../staff/awake.ts";
import { TopBar } from "../staff/bar.tsx";
import { useLoad } from "../staff/load.ts";
import { pagesOf } from "../staff/places.ts";
import { has } from "../staff/session.ts";
import type { Me } from "../staff/session.ts";
import { useAccountActions } from "../staff/signedin.tsx";
import { SkipLink } from "../staff/skip.tsx";
import { useStaffWords } from "../staff/words.ts";
import type { Standing } from "./answers.ts";
import { Banners } from "./banners.tsx";
import { DeskContext, useChanges } from "./context.tsx";
import type { Shared } from "./context.tsx";
import { CustomerPane } from "./customer.tsx";
import { needsRoom } from "./facebody.tsx";
import { forgetJoin, JoinDialog, joinToken } from "./join.tsx";
import { Dialogs } from "./dialogs.tsx";
import type { DialogName } from "./dialogs.tsx";
import { List } from "./list.tsx";
import { Notice } from "./notice.tsx";
import { PresenceMenu } from "./presence.tsx";
import { SoundButton } from "./sound.tsx";
import { guestOf, itemOf, listed } from "./store.ts";
import { DeskKeys } from "./deskkeys.tsx";
import { Work } from "./work.tsx";
import { makeWorld } from "./world.ts";
import { useDeskWords } from "./words.ts";

const panes = ["list", "work", "customer"] as const;
export type Pane = (typeof panes)[number];

export function Floor({ me }: { me: Me }) {
  const w = useDeskWords();
  const sw = useStaffWords();
  const api = useApi();
  const actions = useAccountActions();
  const world = useMemo(() => makeWorld(api, me.user.name), [api, me.user.name]);
  const { hold, seat, sights, kept } = world;
  const [chosen, setChosen] = useState("");
  const [pane, setPane] = useState<Pane>("list");
  const [dialog, setDialog] = useState<DialogName>("");
  const [token, setToken] = useState(joinToken);
  const standing = useLoad<Standing>((signal) => api.get("agent", signal), [api]);
  useChanges(hold);
  const { me: duty } = hold.state;
  useAwake(duty?.presence === "available" || (duty?.holds.length ?? 0) > 0);
  useEffect(() => {
    hold.start();
    const offline = () => hold.wire.offline();
    const online = () => hold.wire.poke();
    const seen = () => document.hidden || hold.wire.poke();
    window.addEventListener("offline", offline);
    window.addEventListener("online", online);
    document.addEventListener("visibilitychange", seen);
    return () => {
      window.removeEventListener("offline", offline);
      window.removeEventListener("online", online);
      document.removeEventListener("visibilitychange", seen);
      sights.close(); // they say goodbye by the socket
      seat.end();
      hold.wire.stop();
    };
  }, [hold, seat, sights]);
  useSeat(world, standing.value);
  const choose = useCallback((task: string) => {
    setChosen(task);
    setPane(task === "" ? "list" : "work");
  }, []);
  // What is chosen and gone gives way to what comes first.
  const items = listed(hold.state);
  const here = chosen !== "" && itemOf(hold.state, chosen) ? chosen : (items.find((i) => i.stage !== "offered") ?? items[0])?.id ?? "";
  const overseer = has(me.user, "supervisor");
  const shared = useMemo<Shared>(() => ({ hold, seat, sights, kept, standing: standing.value, overseer, chosen: here, choose }), [hold, seat, sights, kept, standing.value, overseer, here, choose]);
  return (
    <DeskContext.Provider value={shared}>
      <div class="desk" data-pane={pane}>
        <SkipLink to="work" />
        <TopBar user={me.user} places={pagesOf(me.user, "desk", sw)} account="/studio#/account" {...actions}>
          <SoundButton onOpen={() => setDialog("sound")} />
          <PresenceMenu />
        </TopBar>
        <Banners missing={standing.error?.code === "not_found"} ring={world.ring} onSound={() => setDialog("sound")} />
        <nav class="desk-panes" aria-label={w.panes}>
          {panes.map((p) => (
            <button key={p} type="button" aria-pressed={pane === p} onClick={() => setPane(p)}>
              {{ list: w.paneList, work: w.paneWork, customer: w.paneCustomer }[p]}
              {p === "list" && (items.some((i) => i.stage === "offered") || Object.keys(hold.state.invites).length > 0) && <span class="badge bad"><span class="unseen">{w.offerHere}</span><span aria-hidden="true">!</span></span>}
            </button>
          ))}
        </nav>
        <h1 class="unseen">{sw.pages.desk}</h1>
        <div class="desk-columns" data-room={needsRoom(hold.state, itemOf(hold.state, here)) || Object.keys(hold.state.talks).some((task) => guestOf(hold.state, task)) ? "" : undefined}>
          <List onDialog={setDialog} />
          <Work onDialog={setDialog} />
          <CustomerPane />
        </div>
        <Notice world={world} onPane={setPane} />
        <DeskKeys onDialog={setDialog} onPane={setPane} />
        <Dialogs name={dialog} onName={setDialog} world={world} />
        {token !== "" && dialog === "" && (
          <JoinDialog
            token={token}
            onSound={() => setDialog("sound")}
            onClose={() => {
              forgetJoin();
              setToken("");
              setPane("work");
            }}
          />
        )}
      </div>
    </DeskContext.Provider>
  );
}

// useSeat takes calls here if the agent chose so on this device, or if they have no phone and
// the browser lets the page use the microphone already.
function useSeat({ seat, kept }: { seat: import("./seat.ts").Seat; kept: import("./kept.ts").Kept }, standing: Standing | null): void {
  useEffect(() => {
    if (!standing) return;
    const { seat: choice, microphone } = kept.devices();
    if (choice === "phone") return;
    if (choice === "page") return void seat.begin(microphone);
    void allowed().then((yes) => (yes ? seat.begin(microphone) : undefined));
  }, [seat, kept, standing !== null]);
}

async function allowed(): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: "microphone" as PermissionName })).state === "granted";
  } catch {
    return false; // a browser that does not tell
  }
}
