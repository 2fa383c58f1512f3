// What GET /api/v1/entries answers; web/api's Go types say the same.

export interface Entry {
  number: string; // as configured; "1800*" stands for every number that begins so
  flow: string;
  languages: string[]; // of the flow, first its fallback
  dial: string[]; // SIP addresses, ready to dial; none for a prefix
  auth: boolean; // the caller must have a user and password
  call: boolean; // it can be called from this page
}

export interface Overview {
  demo: boolean;
  version: string;
  ready: boolean; // new calls are let in
  calls: number; // up now
  entries: Entry[];
  phone?: Phone; // the demo's
}

// The customer's telephone that the demo's page plays.
export interface Phone {
  url: string; // of the simulator that keeps its texts
  number: string; // E.164
}

export async function fetchOverview(signal: AbortSignal): Promise<Overview> {
  const answer = await fetch("api/v1/entries", { signal, headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return (await answer.json()) as Overview;
}
