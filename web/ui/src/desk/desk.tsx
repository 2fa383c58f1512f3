// The desk: who may see it, and the frame that all of it stands in.
import { useEffect } from "preact/hooks";
import { TopBar } from "../staff/bar.tsx";
import { pagesOf, reaches } from "../staff/places.ts";
import type { Me } from "../staff/session.ts";
import { SignedIn, useAccountActions } from "../staff/signedin.tsx";
import { SkipLink } from "../staff/skip.tsx";
import { useStaffWords } from "../staff/words.ts";

export function Desk() {
  return <SignedIn page="desk">{(me) => <Page me={me} />}</SignedIn>;
}

function Page({ me }: { me: Me }) {
  const sw = useStaffWords();
  const actions = useAccountActions();
  useEffect(() => {
    document.title = `${sw.pages.desk} · Tandem`;
  }, [sw]);
  return (
    <div class="desk">
      <SkipLink to="content" />
      <TopBar user={me.user} places={pagesOf(me.user, "desk", sw)} account="/studio#/account" {...actions} />
      {reaches(me.user, "desk") ? (
        <main class="page" id="content" tabIndex={-1}>
          <h1>{sw.pages.desk}</h1>
        </main>
      ) : (
        <main class="page" id="content" tabIndex={-1}>
          <h1>{sw.closedTitle}</h1>
          <p>{sw.closed}</p>
        </main>
      )}
    </div>
  );
}
