// Who took part in a call, and for how long, as the journal's spans say it.
import type { StoryEvent } from "./answers.ts";

export interface PartySeconds {
  leg: string;
  name: string; // of staff; "" = the customer, or a number that was called
  role: string;
  seconds: number; // whole spans from the journal, and one that runs
  held: number;
}

export function partiesOf(events: readonly StoryEvent[], now: number): PartySeconds[] {
  const all = new Map<string, PartySeconds & { since: number }>();
  for (const e of events) {
    if (!e.leg) continue;
    const d = e.data ?? {};
    if (e.kind === "room.joined" || e.kind === "room.changed") {
      const p = all.get(e.leg) ?? { leg: e.leg, name: "", role: "", seconds: 0, held: 0, since: 0 };
      p.name = typeof d["name"] === "string" ? d["name"] : p.name;
      p.role = typeof d["role"] === "string" ? d["role"] : p.role;
      if (e.kind === "room.joined") p.since = Date.parse(e.at);
      all.set(e.leg, p);
    } else if (e.kind === "room.left") {
      const p = all.get(e.leg);
      if (!p) continue;
      p.seconds += Number(d["seconds"] ?? 0);
      p.held += Number(d["held"] ?? 0);
      p.since = 0;
    }
  }
  return [...all.values()].map((p) => ({ leg: p.leg, name: p.name, role: p.role, held: p.held, seconds: p.seconds + (p.since > 0 ? Math.max(0, (now - p.since) / 1000) : 0) }));
}
