// What the staff API answers the desk, as web/api/openapi.yaml has it.
import type { Agent, Decision, Load, Presence, Sent, Task, Words } from "./protocol.ts";

// Named has words by language tag; a name is shown where there are none.
export interface Named {
  name: string;
  words: Record<string, string>;
}

export interface Standing {
  agent: Agent;
  reasons: Named[];
  dispositions?: Named[];
  required?: string[]; // queues whose wrap-up needs a disposition
}

export interface Contact {
  id: string;
  number: string;
  flow?: string;
  state: string;
  started: string;
  ended?: string;
  channels: string[];
  outcome?: string;
  queue?: string;
  agents: string[];
  disposition?: string;
  notes: Note[];
}

export interface Note {
  at: string;
  by: string;
  text: string;
}

export interface CustomerView {
  task: Task;
  interaction: { id: string; number: string; entry?: string; flow?: string; lang?: string; from?: string; channels?: string[]; started: string };
  customer?: string;
  since?: string;
  assurance: string;
  assurance_until?: string;
  details: Record<string, unknown>;
  bindings: { kind: string; value: string; since: string; checked?: string }[];
  contacts: Contact[];
  open: Task[];
  answers: Record<string, unknown>;
  notes: Note[];
  links: Sent[];
}

export interface Event {
  seq: number;
  at: string;
  kind: string;
  leg?: string;
  actor?: string;
  data?: Record<string, unknown>;
}

export interface Story {
  task: Task;
  decision?: Decision;
  story: { events: Event[]; earlier?: number; answers: Record<string, unknown> };
}

export interface Node {
  flow: string;
  step: string;
  verb: string;
  words: Words;
  allowed: boolean; // it can be handed back to
  asks?: boolean; // it can be asked to run and come back
  why?: Words;
  here?: boolean;
  secret?: boolean;
}

export interface Reply {
  name: string;
  lang: string;
  text: string;
  missing?: string[];
}

export interface Operation {
  name: string;
  words: Record<string, string>;
  params: { name: string; type: string; required?: boolean; value?: unknown }[];
  needs?: string;
}

export interface Colleague {
  name: string;
  display: string;
  presence: Presence;
  reason?: string;
  reachable: Load[];
  busy: Load[];
  teams: string[];
}

export interface Directory {
  agents: Colleague[];
  queues: { name: string; waiting: number; free: number }[];
}

export interface Ticket {
  number: string;
  form: string;
  lang?: string;
  queue?: string;
  owner?: string;
  status: string;
  due: string;
  opened?: string;
  fields: Record<string, unknown>;
  history: { at: string; actor: string; status?: string; owner?: string; due?: string; note?: string; told?: string; why?: string }[];
  erased?: boolean;
}
