// The script that a page includes:
//
//   <script src="https://HOST/widget.js" data-site="bank" async></script>
//
// It puts one <tandem-chat> into the page, and window.Tandem with open() and close().
import { elementName, TandemChat } from "./element.tsx";

const script =
  document.currentScript instanceof HTMLScriptElement ? document.currentScript : document.querySelector<HTMLScriptElement>('script[data-site][src*="/widget.js"]');

function begin(script: HTMLScriptElement): void {
  if (document.querySelector(elementName)) return; // included twice
  if (!customElements.get(elementName)) customElements.define(elementName, TandemChat);
  const { site = "", lang, colour, theme, mode } = script.dataset;
  const element = document.createElement(elementName) as TandemChat;
  element.setAttribute("site", site);
  element.setAttribute("base", new URL("./", script.src).href);
  for (const [name, value] of Object.entries({ lang, colour, theme, mode })) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  document.body.append(element);
  Object.defineProperty(window, "Tandem", {
    configurable: true,
    value: Object.freeze({ open: () => element.control?.open(), close: () => element.control?.close() }),
  });
}

if (script) {
  if (document.body) begin(script);
  else addEventListener("DOMContentLoaded", () => begin(script), { once: true });
}
