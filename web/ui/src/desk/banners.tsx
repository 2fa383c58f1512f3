// What the agent has to know at once, across the page: the connection is lost, the microphone
// does not work, the page may not ring. Each says what to do.
import type { ComponentChildren } from "preact";
import { Icon } from "../staff/icon.tsx";
import { span } from "../staff/time.ts";
import { useChanges, useDesk, useHeld, useNow, useRun } from "./context.tsx";
import { missed } from "./presence.tsx";
import type { Ring } from "./ring.ts";
import { useDeskWords } from "./words.ts";

interface Props {
  missing: boolean; // the agent does not stand in the queues file
  ring: Ring;
  onSound(): void;
}

export function Banners({ missing: absent, ring, onSound }: Props) {
  const w = useDeskWords();
  const { hold, seat, kept } = useDesk();
  const s = useHeld();
  const run = useRun();
  useChanges(seat);
  useChanges(ring);
  const { wire } = hold;
  const bad = seat.mic !== "" && seat.mic !== "ok" ? seat.mic : "";
  const asked = kept.devices().seat;
  const invited = seat.state === "off" && seat.available && asked === undefined && wire.state === "up" && !absent;
  return (
    <div class="banners">
      <div role="alert">
        {wire.state === "lost" && <Lost />}
        {wire.state === "refused" && (
          <Banner mood="bad" text={(wire.why === "login" ? w.refused["login"] : w.refused["other"])!}>
            <button type="button" onClick={() => location.reload()}>
              {w.reload}
            </button>
          </Banner>
        )}
        {bad && (
          <Banner mood="bad" icon="micOff" title={w.mics[bad]!} text={w.micHelp[bad]!}>
            <button type="button" onClick={onSound}>
              {w.chooseDevice}
            </button>
            <button type="button" onClick={() => seat.retry()}>
              {w.tryNow}
            </button>
          </Banner>
        )}
        {seat.state === "elsewhere" && (
          <Banner mood="warn" icon="mic" text={w.elsewhere}>
            <button type="button" onClick={() => seat.retry()}>
              {w.takeHere}
            </button>
          </Banner>
        )}
        {absent && <Banner mood="warn" text={w.notInQueues} />}
        {s.me?.presence === "away" && s.me.reason === missed && (
          <Banner mood="warn" text={w.missedBanner}>
            <button type="button" onClick={() => void run(hold.presence("available"))}>
              {w.beAvailable}
            </button>
          </Banner>
        )}
      </div>
      {ring.blocked && (
        <Banner mood="warn" icon="sound" text={w.soundBlocked}>
          <button type="button" onClick={() => ring.touch()}>
            {w.allowSound}
          </button>
        </Banner>
      )}
      {invited && (
        <Banner mood="mild" icon="mic" text={w.seatInvite}>
          <button type="button" class="main" onClick={() => (kept.choose({ seat: "page" }), void seat.begin(kept.devices().microphone))}>
            {w.useMicrophone}
          </button>
          <button type="button" onClick={() => (kept.choose({ seat: "phone" }), hold.poke())}>
            {hold.state.me?.phone ? w.stopMicrophone : w.notNow}
          </button>
        </Banner>
      )}
    </div>
  );
}

function Lost() {
  const w = useDeskWords();
  const { hold } = useDesk();
  const now = useNow();
  return (
    <Banner mood="bad" text={w.lost}>
      <span class="clock" aria-hidden="true">
        {w.lostSince(span((now - hold.wire.lostAt) / 1000))}
      </span>
      <button type="button" onClick={() => hold.wire.poke()}>
        {w.tryNow}
      </button>
    </Banner>
  );
}

interface BannerProps {
  mood: "bad" | "warn" | "mild";
  icon?: "micOff" | "mic" | "sound" | "warning";
  title?: string;
  text: string;
  children?: ComponentChildren;
}

function Banner({ mood, icon = "warning", title, text, children }: BannerProps) {
  return (
    <div class={`banner ${mood}`}>
      <Icon name={icon} />
      <p>
        {title && <strong>{title} </strong>}
        {text}
      </p>
      {children}
    </div>
  );
}
