// How to let this page use camera or microphone, in the browser that shows it, with a small
// drawing of where to tap.
import { useState } from "preact/hooks";
import type { Language } from "../language.ts";
import { isInApp, thisBrowser } from "./browser.ts";
import type { Browser } from "./browser.ts";
import { faceWords } from "./words.ts";
import type { Device } from "./words.ts";

export type { Device } from "./words.ts";
export { browserOf, isInApp, thisBrowser } from "./browser.ts";
export type { Browser } from "./browser.ts";

interface PermissionHelpProps {
  what: Device;
  language: Language;
  browser?: Browser;
  onRetry?(): void; // none: there is nothing to try here
}

export function PermissionHelp({ what, language, browser = thisBrowser(), onRetry }: PermissionHelpProps) {
  const w = faceWords[language];
  const steps = w.steps[browser](what);
  return (
    <div class="face-help">
      <p class="face-help-head">{w.help[what]}</p>
      <div class="face-help-body">
        <Where browser={browser} label={w.drawing} />
        <ol>
          {steps.map((s) => (
            <li key={s}>{s}</li>
          ))}
        </ol>
      </div>
      <div class="face-row">
        {isInApp(browser) && <CopyAddress language={language} />}
        {onRetry && (
          <button type="button" class={isInApp(browser) ? "" : "main"} onClick={onRetry}>
            {w.tryAgain}
          </button>
        )}
      </div>
    </div>
  );
}

// CopyAddress copies the address of this page, for the phone's own browser.
export function CopyAddress({ language }: { language: Language }) {
  const w = faceWords[language];
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      const field = document.createElement("textarea"); // windows of apps often have no clipboard
      field.value = location.href;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    setCopied(true);
  };
  return (
    <>
      <button type="button" class="main" onClick={() => void copy()}>
        {w.copy}
      </button>
      <span class="face-hint" role="status">
        {copied && w.copied}
      </span>
    </>
  );
}

// Where draws the place to tap: it holds no letters, so it is the same in every language.
function Where({ browser, label }: { browser: Browser; label: string }) {
  return (
    <svg class="face-where" viewBox="0 0 150 96" width="150" height="96" role="img" aria-label={label}>
      {browser === "ios-other" ? <Settings /> : isInApp(browser) ? <Dots /> : browser === "safari" ? <Menu /> : <Bar low={browser === "ios-safari"} crossed={browser === "firefox"} />}
    </svg>
  );
}

// Bar is a window with its address bar; the sign at its left end opens what is below.
function Bar({ low, crossed }: { low: boolean; crossed: boolean }) {
  const y = low ? 66 : 8;
  const box = low ? 18 : 38;
  return (
    <>
      <rect class="frame" x="1" y="1" width="148" height="94" rx="8" />
      <rect class="bar" x="8" y={y} width="134" height="22" rx="11" />
      <path class="line" d={`M44 ${y + 11}h60`} />
      <circle class="mark" cx="23" cy={y + 11} r="10" />
      <path class="sign" d={crossed ? `M18 ${y + 8}h7v6h-7zM25 ${y + 10}l4 -2v6l-4 -2M17 ${y + 5}l12 12` : `M17 ${y + 8}h5M26 ${y + 8}h3M17 ${y + 14}h3M24 ${y + 14}h5M22 ${y + 8}a2 2 0 104 0a2 2 0 10-4 0M20 ${y + 14}a2 2 0 104 0a2 2 0 10-4 0`} />
      <rect class="card" x="16" y={box} width="92" height="42" rx="6" />
      <Toggle y={box + 13} />
      <Toggle y={box + 30} />
    </>
  );
}

function Toggle({ y }: { y: number }) {
  return (
    <>
      <path class="line" d={`M26 ${y}h40`} />
      <rect class="on" x="78" y={y - 6} width="22" height="12" rx="6" />
      <circle class="knob" cx="94" cy={y} r="4.500" />
    </>
  );
}

function Settings() {
  return (
    <>
      <rect class="frame" x="36" y="1" width="78" height="94" rx="10" />
      <path class="line" d="M60 14h30" />
      <rect class="card" x="42" y="24" width="66" height="54" rx="6" />
      {[36, 51, 66].map((y, i) => (
        <g key={y}>
          <path class="line" d={`M50 ${y}h24`} />
          {i > 0 && <rect class="on" x="82" y={y - 6} width="20" height="12" rx="6" />}
          {i > 0 && <circle class="knob" cx="96" cy={y} r="4.500" />}
        </g>
      ))}
    </>
  );
}

function Menu() {
  return (
    <>
      <rect class="frame" x="1" y="1" width="148" height="94" rx="8" />
      <path class="line" d="M10 12h14M56 12h14M80 12h14" />
      <circle class="mark" cx="40" cy="12" r="10" />
      <path class="sign" d="M34 12h12" />
      <rect class="card" x="30" y="26" width="86" height="60" rx="6" />
      <path class="line" d="M40 40h50M40 72h44" />
      <path class="sign" d="M40 56h60" />
    </>
  );
}

function Dots() {
  return (
    <>
      <rect class="frame" x="26" y="1" width="98" height="94" rx="10" />
      <path class="line" d="M52 15h34" />
      <circle class="mark" cx="108" cy="15" r="10" />
      <path class="sign" d="M103 15h.01M108 15h.01M113 15h.01" />
      <rect class="card" x="50" y="32" width="66" height="52" rx="6" />
      <path class="line" d="M60 46h40M60 72h34" />
      <path class="sign" d="M60 59h46" />
    </>
  );
}
