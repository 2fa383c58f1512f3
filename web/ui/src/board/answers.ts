// What the staff API answers the board, as web/api/openapi.yaml has it.
import type { Agent, TaskKind, TaskState } from "../desk/protocol.ts";

export interface Sum {
  opened: number;
  answered: number;
  within: number;
  left: number;
  level?: number; // 0 to 1
  p50?: number; // seconds
  p90?: number;
}

export interface Today extends Sum {
  by: Partial<Record<TaskKind, Sum>>;
}

export interface Counts {
  free: number;
  busy: number;
  wrapping: number;
  unreachable: number;
  away: number;
  offline: number;
}

export interface Figures {
  name: string;
  teams: string[];
  waiting: Partial<Record<TaskKind, number>>;
  total: number;
  oldest?: string;
  due_next?: string;
  offered: number;
  assigned: number;
  wrapping: number;
  agents: Counts;
  today: Today;
  target: Partial<Record<TaskKind, number>>;
}

// All is what is said of all queues together.
export interface All {
  agents: Counts;
  today: Today;
  since: string;
  whole: boolean;
}

export type Metric = "longest" | "waiting" | "abandoned" | "level" | "free";
export const metrics: readonly Metric[] = ["longest", "waiting", "abandoned", "level", "free"];

export interface Alert {
  id: string;
  rule: string;
  name: string;
  queue: string;
  kind: TaskKind | "";
  metric: Metric;
  bound: number;
  severity: "warning" | "critical";
  sound: boolean;
  fired: string;
  value: number;
  resolved?: string;
  why?: string;
  seen?: string;
  seen_by?: string;
}

export interface Rule {
  id: string;
  name: string;
  queue: string;
  kind: TaskKind | "";
  metric: Metric;
  bound: number;
  clear: number;
  hold: number;
  severity: "warning" | "critical";
  sound: boolean;
  active: boolean;
  firing: boolean;
  value?: number;
}

export interface AlertsPage {
  rules: Rule[];
  firing: Alert[];
  past: Alert[];
}

export interface BoardFrame {
  t: "board";
  fresh?: boolean;
  last?: boolean;
  at: string;
  queues?: Figures[];
  agents?: Agent[];
  all?: All;
  alerts?: Alert[];
}

export interface LineTask {
  id: string;
  interaction: string;
  kind: TaskKind;
  queue: string;
  state: TaskState;
  arrived: string;
  due?: string;
  priority?: number;
  agent?: string;
  fence?: number;
  since?: string;
  lang?: string;
  place?: { position: number; at_least?: number; at_most?: number };
}

export interface PastContact {
  at: string;
  task: string;
  interaction: string;
  queue: string;
  kind: TaskKind;
  what: "answered" | "left";
  agent?: string;
  waited: number;
  within: boolean;
}

export interface Where {
  interaction: string;
  number?: string;
  entry: string;
  channel?: string;
  state: string;
  flow: string;
  step: string;
  since: string;
}

export interface WherePage {
  at: string;
  flows: { flow: string; total: number; steps: Record<string, number> }[];
  who: Where[];
  more?: number;
}

export interface History {
  step: number;
  at: number[];
  opened: number[];
  answered: number[];
  within: number[];
  left: number[];
  waiting: number[];
  most: number[];
  p50: (number | null)[];
  p90: (number | null)[];
}

export interface StoryEvent {
  seq: number;
  at: string;
  kind: string;
  leg?: string;
  actor?: string;
  data?: Record<string, unknown>;
}

export interface StoryLeg {
  id: string;
  kind: string;
  inbound: boolean;
  role: string;
  from?: string;
  to?: string;
  assurance: string;
  started: string;
  answered?: string;
  ended?: string;
}

export interface Story {
  interaction: { id: string; number: string; entry: string; flow: string; lang?: string; state: string; started: string; ended?: string; outcome?: string; channels: string[]; from?: string; erased?: boolean };
  assurance: string;
  legs: StoryLeg[];
  answers: Record<string, unknown>;
  tasks: LineTask[];
  events: StoryEvent[];
  earlier?: number;
  contacts: { id: string; number: string; started: string; state: string; outcome?: string }[];
}
