// The board: who may see it, and the frame that all of it stands in.
import { useEffect } from "preact/hooks";
import { TopBar } from "../staff/bar.tsx";
import { pagesOf, reaches } from "../staff/places.ts";
import type { Me } from "../staff/session.ts";
import { SignedIn, useAccountActions } from "../staff/signedin.tsx";
import { SkipLink } from "../staff/skip.tsx";
import { useStaffWords } from "../staff/words.ts";

export function Board() {
  return <SignedIn page="board">{(me) => <Page me={me} />}</SignedIn>;
}

function Page({ me }: { me: Me }) {
  const sw = useStaffWords();
  const actions = useAccountActions();
  useEffect(() => {
    document.title = `${sw.pages.board} · Tandem`;
  }, [sw]);
  return (
    <div class="board">
      <SkipLink to="content" />
      <TopBar user={me.user} places={pagesOf(me.user, "board", sw)} account="/studio#/account" {...actions} />
      {reaches(me.user, "board") ? (
        <main class="page" id="content" tabIndex={-1}>
          <h1>{sw.pages.board}</h1>
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
