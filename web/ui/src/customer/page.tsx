// The customers' page: what this place is, what to dial, and whether it answers.
import { useEffect, useState } from "preact/hooks";
import { CallPanel, usePageCall } from "../voice/panel.tsx";
import { firstLanguage, languageNames, languages, remember } from "../language.ts";
import type { Language } from "../language.ts";
import { fetchOverview } from "./entries.ts";
import type { Overview } from "./entries.ts";
import { NumberList } from "./numbers.tsx";
import { PhoneView } from "./phone.tsx";
import { words } from "./words.ts";
import type { Words } from "./words.ts";

const refreshEvery = 5_000; // milliseconds; the state line is that old at most

export function Page() {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const overview = useOverview();
  const calls = usePageCall();
  const w = words[language];

  useEffect(() => {
    document.documentElement.lang = language;
    document.title = w.title;
  }, [language, w]);

  const choose = (next: Language) => {
    remember(next);
    setLanguage(next);
  };
  const current = overview.value;
  const demo = current?.demo === true;
  useEffect(() => {
    if (demo) includeChat();
  }, [demo]);
  useEffect(() => document.querySelector("tandem-chat")?.setAttribute("lang", language), [language]);
  // Only numbers are dialled; entries of chats and texts have their own doors.
  const numbers = current?.entries.filter((e) => /^[+\d*#]/.test(e.number)) ?? [];
  const call = (number: string) => calls.begin(number, [language, ...navigator.languages]);
  const first = numbers.find((e) => e.dial.length > 0 && !e.auth)?.dial[0];

  return (
    <>
      <header>
        <p class="brand">
          <img src="icon.svg" alt="" width="28" height="28" />
          Tandem
        </p>
        <fieldset class="language">
          <legend class="unseen">{w.language}</legend>
          {languages.map((l) => (
            <label key={l} lang={l}>
              <input type="radio" name="language" value={l} checked={l === language} onChange={() => choose(l)} />
              <span>{languageNames[l]}</span>
            </label>
          ))}
        </fieldset>
      </header>
      <main class={demo && current.phone ? "with-phone" : ""}>
        <h1>{w.title}</h1>
        <p class="lead">{w.lead}</p>
        {demo && <p class="note">{w.demo}</p>}

        <section aria-labelledby="numbers">
          <h2 id="numbers">{w.numbers}</h2>
          {current ? <NumberList entries={numbers} language={language} words={w} onCall={call} /> : !overview.failed && <p>{w.loading}</p>}
        </section>

        <section aria-labelledby="how">
          <h2 id="how">{w.how}</h2>
          <ol>
            {w.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
          {first && (
            <>
              <p>{w.terminal}</p>
              <pre tabIndex={0} aria-label={w.terminal}>
                <code>{`tandem call ${first}`}</code>
              </pre>
            </>
          )}
        </section>

        <section aria-labelledby="state">
          <h2 id="state">{w.state}</h2>
          <State overview={overview} words={w} />
        </section>
        {demo && current.phone && <PhoneView phone={current.phone} entries={numbers} language={language} words={w} onCall={call} onKey={(k) => calls.call?.keys(k) ?? false} />}
        <CallPanel calls={calls} title={calls.to} language={language} />
      </main>
      <footer>{current && <p>Tandem {current.version}</p>}</footer>
    </>
  );
}

// includeChat puts the widget on the page, as any page of a bank would.
function includeChat() {
  if (document.querySelector('script[src="widget.js"]')) return;
  const script = document.createElement("script");
  script.src = "widget.js";
  script.dataset.site = "demo";
  document.body.append(script);
}

function State({ overview, words: w }: { overview: Fetched; words: Words }) {
  const current = overview.value;
  const [mood, sentence] = overview.failed
    ? ["bad", w.unreachable]
    : !current
      ? ["", w.loading]
      : current.ready
        ? ["good", w.ready(current.calls)]
        : ["bad", w.refusing];
  return (
    <p class={`state ${mood}`} role="status">
      {sentence}
    </p>
  );
}

interface Fetched {
  value: Overview | null; // the last that came
  failed: boolean; // the last try
}

// useOverview asks again and again while the page is looked at.
function useOverview(): Fetched {
  const [fetched, setFetched] = useState<Fetched>({ value: null, failed: false });
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const ask = async () => {
      window.clearTimeout(timer);
      if (!document.hidden) {
        try {
          const value = await fetchOverview(AbortSignal.any([stop.signal, AbortSignal.timeout(refreshEvery)]));
          setFetched({ value, failed: false });
        } catch {
          if (stop.signal.aborted) return;
          setFetched((before) => ({ value: before.value, failed: true }));
        }
      }
      window.clearTimeout(timer);
      if (!stop.signal.aborted) timer = window.setTimeout(ask, refreshEvery);
    };
    document.addEventListener("visibilitychange", ask);
    void ask();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, []);
  return fetched;
}
