// A list that is searched by writing and gone through by arrows, as a list box: the first
// that fits is chosen by Enter.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

export interface Option {
  key: string;
  group?: string;
  label: ComponentChildren;
  text: string; // that is searched
  off?: boolean; // it is shown, and cannot be taken
}

interface Props {
  label: string;
  options: readonly Option[];
  none: string; // what is said when nothing fits
  onTake(key: string): void;
  onSearch?(text: string): void;
}

export function Picker({ label, options, none, onTake, onSearch }: Props) {
  const id = useId();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fit = options.filter((o) => words.every((x) => o.text.toLowerCase().includes(x)));
  const chosen = fit[Math.min(at, fit.length - 1)];
  const current = chosen && !chosen.off ? chosen : fit.find((o) => !o.off);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at, query]);
  const step = (by: number) => {
    for (let n = (current ? fit.indexOf(current) : -1) + by; n >= 0 && n < fit.length; n += by) if (!fit[n]!.off) return setAt(n);
  };
  const take = (o: Option | undefined) => o && !o.off && onTake(o.key);
  return (
    <div class="picker">
      <input
        type="text"
        value={query}
        aria-label={label}
        placeholder={label}
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={current ? `${id}-${current.key}` : undefined}
        autocomplete="off"
        spellcheck={false}
        onInput={(e) => {
          setQuery(e.currentTarget.value);
          setAt(0);
          onSearch?.(e.currentTarget.value);
        }}
        onKeyDown={(e) => {
          if (e.isComposing || e.keyCode === 229) return;
          if (e.key === "ArrowDown" || e.key === "ArrowUp") {
            e.preventDefault();
            step(e.key === "ArrowDown" ? 1 : -1);
          } else if (e.key === "Enter") {
            e.preventDefault();
            take(current);
          }
        }}
      />
      <ul role="listbox" id={`${id}-list`} aria-label={label} ref={list}>
        {fit.map((o, i) => [
          o.group && o.group !== fit[i - 1]?.group && (
            <li key={`group ${o.group}`} role="presentation" class="picker-group">
              {o.group}
            </li>
          ),
          <li
            key={o.key}
            id={`${id}-${o.key}`}
            role="option"
            aria-selected={o === current}
            aria-disabled={o.off ? "true" : undefined}
            onPointerDown={(e) => (e.preventDefault(), setAt(i))}
            onClick={() => take(o)}
          >
            {o.label}
          </li>,
        ])}
      </ul>
      {fit.length === 0 && <p class="soft">{none}</p>}
    </div>
  );
}
