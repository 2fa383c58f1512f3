// What the studio's part of the staff API answers; the Go side's types say the same.

export interface Diagnostic {
  file: string;
  line: number; // from 1
  column: number; // from 1, in characters
  severity: "error" | "warning";
  rule: string;
  message: string; // in English
  about?: string; // what the rule means, in the page's language, unless that is English
  suggestion: string; // "" = none
  snippet?: string;
  width?: number; // characters meant
}

export interface Release {
  number: number;
  at: string;
  by: string;
  note: string;
}

export interface Flow {
  name: string;
  file: string;
  channels: string[];
  languages: string[];
  steps: number;
  hash: string;
  errors: number;
  warnings: number;
  entries: string[];
  served: boolean;
}

export interface OtherFile {
  file: string;
  kind: string;
  errors: number;
  warnings: number;
}

export interface Overview {
  release: Release | null;
  behind?: boolean; // the folder has errors, so an older version serves
  flows: Flow[];
  files: OtherFile[];
  problems: Diagnostic[];
}

export interface FileText {
  file: string;
  text: string;
  hash: string;
}

export interface OutlineStep {
  step: string;
  line: number;
  verb: string;
}

export interface Checked {
  diagnostics: Diagnostic[];
  flow: string;
  picture: string;
  outline: OutlineStep[];
  saved: boolean; // the text is the file's
}

export interface Completion {
  from: number;
  to: number;
  items: { label: string; kind: string; detail: string; info: string; insert: string }[];
}

export interface TestCase {
  name: string;
  channel: string;
  ok: boolean;
  file: string;
  line: number;
  message: string;
  transcript: string;
}

export interface MissingEdge {
  step: string;
  label: string;
  to: string;
}

export interface Coverage {
  flow: string;
  steps: { covered: number; total: number; missing: string[] };
  edges: { covered: number; total: number; missing: MissingEdge[] };
}

export interface TestRun {
  passed: number;
  failed: number;
  cases: TestCase[];
  coverage: Coverage | Coverage[] | null;
  took_ms: number;
}

export interface Taken {
  at: string;
  step: string;
  verb: string;
  outcome: string;
  next: string;
  said: string | string[] | null;
  pressed: string | null;
  set: Record<string, unknown> | null;
  fault?: string; // what went wrong in it
}

export interface Drawn {
  picture: string;
  other?: boolean; // not the version asked for, which is not kept
  counts?: { entered: number; from: string; until: string };
}

export interface Past {
  id: string;
  number: string;
  at: string;
  channel: string;
  outcome: string;
  hash: string;
  seconds: number;
}

export interface PastPath {
  number: string;
  flow: string;
  hash: string;
  erased?: boolean; // its customer's data are
  steps: Taken[];
}

export interface Version {
  hash: string;
  number: number;
  at: string;
  by: string;
  note: string;
  current: boolean;
}

export interface DiffLine {
  op: " " | "+" | "-";
  line: string;
}

export interface Difference {
  picture: string;
  text: DiffLine[];
}

export interface Proposal {
  id: string;
  file: string;
  flow: string;
  by: string;
  at: string;
  note: string;
  state: "open" | "published" | "refused";
  decided_by: string;
  decided_at: string | null;
  why: string;
}

export interface ProposalDetail extends Proposal {
  diagnostics: Diagnostic[];
  difference: Difference;
}

export interface Proposed {
  id: string;
  state: "open" | "published";
  number?: number;
}

export interface StaffUser {
  name: string;
  provider?: string; // "" = a local user
  display: string;
  roles: string[];
  totp: boolean;
  disabled: boolean;
  last_login: string | null;
}

export interface AuditEntry {
  n: number;
  at: string;
  actor: string;
  action: string;
  object: string;
  detail: string;
  source: string;
}
