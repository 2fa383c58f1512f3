// What can be done with a call as it stands. The server decides; this keeps what makes no
// sense out of reach.
import type { Talk } from "./protocol.ts";

export interface Can {
  hold: boolean;
  held: boolean; // the customer is, and nobody is asked in
  muted: boolean; // the agent is
  keys: boolean;
  consult: boolean;
  consulting: boolean; // somebody is being asked, or was
  both: boolean; // and they are there
  merged: boolean; // and all talk together
}

export function can(talk: Talk | undefined, me: string): Can {
  const of = (role: string) => talk?.parties.find((p) => p.role === role);
  const customer = of("customer");
  const asked = talk?.parties.find((p) => p.role === "specialist" && !p.guest);
  const here = customer?.state === "joined" && !talk?.lent;
  return {
    hold: here && !asked && !customer.held,
    held: customer?.held === true && !asked,
    muted: talk?.parties.some((p) => p.name === me && p.muted) ?? false,
    keys: here,
    consult: here && !asked && !talk?.secret,
    consulting: asked !== undefined,
    both: asked?.state === "joined",
    merged: asked?.state === "joined" && customer?.held !== true && asked.held !== true,
  };
}
