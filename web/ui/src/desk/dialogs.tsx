// The desk's dialogs, one at a time, for what is chosen.
import { useEffect } from "preact/hooks";
import { AskFaceDialog } from "./askface.tsx";
import { BeginCheckDialog } from "./check/begin.tsx";
import { useDesk, useHeld } from "./context.tsx";
import { HandDialog } from "./hand.tsx";
import { KeypadDialog } from "./keypad.tsx";
import { LinkDialog } from "./linkdialog.tsx";
import { MoveDialog } from "./move.tsx";
import { NodesDialog } from "./nodes.tsx";
import { PlaceDialog } from "./place.tsx";
import { RoleLinkDialog } from "./rolelinks.tsx";
import { SoundDialog } from "./sound.tsx";
import { TakeOverDialog } from "./takeover.tsx";
import { itemOf } from "./store.ts";
import type { World } from "./world.ts";

export type DialogName = "" | "sound" | "place" | "keypad" | "consult" | "transfer" | "handBack" | "ask" | "link" | "move" | "takeOver" | "voice" | "video" | "check" | "specialist" | "listener";

const about: readonly DialogName[] = ["keypad", "consult", "transfer", "handBack", "ask", "link", "move", "voice", "video", "check", "specialist", "listener"]; // something that is in work

export function Dialogs({ name, onName, world }: { name: DialogName; onName(name: DialogName): void; world: World }) {
  const { chosen } = useDesk();
  const s = useHeld();
  const item = itemOf(s, chosen);
  const close = () => onName("");
  const over = about.includes(name) && item?.stage !== "assigned"; // it ended meanwhile
  useEffect(() => {
    if (over) close();
  }, [over]);
  if (name === "sound") return <SoundDialog world={world} onClose={close} />;
  if (name === "place") return <PlaceDialog onClose={close} />;
  if (name === "takeOver" && item) return <TakeOverDialog key={item.id} item={item} onClose={close} />;
  if (name === "" || over || !item) return null;
  switch (name) {
    case "keypad":
      return <KeypadDialog item={item} onClose={close} />;
    case "consult":
    case "transfer":
      return <HandDialog key={name} item={item} consult={name === "consult"} onLink={onName} onClose={close} />;
    case "handBack":
    case "ask":
      return <NodesDialog key={name} item={item} ask={name === "ask"} onClose={close} />;
    case "link":
      return <LinkDialog item={item} onClose={close} />;
    case "move":
      return <MoveDialog item={item} onClose={close} />;
    case "voice":
    case "video":
      return <AskFaceDialog key={name} item={item} level={name} onClose={close} onSound={() => onName("sound")} />;
    case "check":
      return <BeginCheckDialog item={item} onClose={close} />;
    case "specialist":
    case "listener":
      return <RoleLinkDialog key={name} item={item} role={name} onClose={close} />;
  }
}
