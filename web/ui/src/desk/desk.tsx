// The desk: who may see it, and the frame that all of it stands in.
import { TopBar } from "../staff/bar.tsx";
import { pagesOf, reaches } from "../staff/places.ts";
import type { Me } from "../staff/session.ts";
import { SignedIn, useAccountActions } from "../staff/signedin.tsx";
import { useStaffWords } from "../staff/words.ts";
import { Floor } from "./floor.tsx";

export function Desk() {
  return <SignedIn page="desk">{(me) => (reaches(me.user, "desk") ? <Floor me={me} /> : <Closed me={me} />)}</SignedIn>;
}

function Closed({ me }: { me: Me }) {
  const sw = useStaffWords();
  const actions = useAccountActions();
  return (
    <div class="desk">
      <TopBar user={me.user} places={pagesOf(me.user, "desk", sw)} account="/studio#/account" {...actions} />
      <main class="page" id="content" tabIndex={-1}>
        <h1>{sw.closedTitle}</h1>
        <p>{sw.closed}</p>
      </main>
    </div>
  );
}
