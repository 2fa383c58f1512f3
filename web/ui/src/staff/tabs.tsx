// A row of tabs: arrows, Home and End move, as in every desktop program.
import type { ComponentChildren } from "preact";

export interface Tab<Id extends string> {
  id: Id;
  label: string;
  badge?: number | undefined; // shown when above 0
  mood?: "bad" | "warn" | undefined; // of the badge
  meaning?: string | undefined; // of the badge, for screen readers
}

interface Props<Id extends string> {
  name: string; // of the row, for ids; unique on the page
  label: string;
  tabs: readonly Tab<Id>[];
  current: Id;
  onChoose(id: Id): void;
}

export function Tabs<Id extends string>({ name, label, tabs, current, onChoose }: Props<Id>) {
  const move = (e: KeyboardEvent) => {
    const at = tabs.findIndex((t) => t.id === current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    if (!next) return;
    onChoose(next.id);
    document.getElementById(`${name}-tab-${next.id}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
      {tabs.map((t) => (
        <button
          key={t.id}
          id={`${name}-tab-${t.id}`}
          type="button"
          role="tab"
          aria-selected={t.id === current}
          aria-controls={t.id === current ? `${name}-panel-${t.id}` : undefined}
          tabIndex={t.id === current ? 0 : -1}
          onClick={() => onChoose(t.id)}
        >
          {t.label}
          {t.badge !== undefined && t.badge > 0 && (
            <span class={`badge ${t.mood ?? ""}`}>
              <span aria-hidden={t.meaning !== undefined}>{t.badge}</span>
              {t.meaning !== undefined && <span class="unseen">{t.meaning}</span>}
            </span>
          )}
        </button>
      ))}
    </div>
  );
}

export function TabPanel({ name, id, children }: { name: string; id: string; children: ComponentChildren }) {
  return (
    <div class="tab-panel" role="tabpanel" id={`${name}-panel-${id}`} aria-labelledby={`${name}-tab-${id}`} tabIndex={0}>
      {children}
    </div>
  );
}
