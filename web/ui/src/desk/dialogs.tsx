// The desk's dialogs, one at a time, for what is chosen.
import { useEffect } from "preact/hooks";
import { useDesk, useHeld } from "./context.tsx";
import { HandDialog } from "./hand.tsx";
import { KeypadDialog } from "./keypad.tsx";
import { LinkDialog } from "./linkdialog.tsx";
import { MoveDialog } from "./move.tsx";
import { NodesDialog } from "./nodes.tsx";
import { PlaceDialog } from "./place.tsx";
import { SoundDialog } from "./sound.tsx";
import { TakeOverDialog } from "./takeover.tsx";
import { itemOf } from "./store.ts";
import type { World } from "./world.ts";

export type DialogName = "" | "sound" | "place" | "keypad" | "consult" | "transfer" | "handBack" | "ask" | "link" | "move" | "takeOver";

const about: readonly DialogName[] = ["keypad", "consult", "transfer", "handBack", "ask", "link", "move"]; // something that is in work

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
      return <HandDialog key={name} item={item} consult={name === "consult"} onClose={close} />;
    case "handBack":
    case "ask":
      return <NodesDialog key={name} item={item} ask={name === "ask"} onClose={close} />;
    case "link":
      return <LinkDialog item={item} onClose={close} />;
    case "move":
      return <MoveDialog item={item} onClose={close} />;
  }
}
