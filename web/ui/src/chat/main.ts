// The page that is one chat: /chat?site=NAME, or /q/CODE, where a QR code leads.
import "./style.css";
import { elementName, TandemChat } from "../widget/element.tsx";
import { languageOf } from "../widget/words.ts";

const nothing = {
  en: "This address leads to no chat. Please use the link or the code that you were given.",
  "zh-CN": "此地址没有对应的在线客服，请使用您收到的链接或二维码。",
};

const query = new URLSearchParams(location.search);
const language = languageOf([query.get("lang"), ...navigator.languages]); // who comes from a call goes on in its language
const site = query.get("site");
const qr = query.get("qr") ?? codeIn(location.pathname);
document.documentElement.lang = language;
if (qr || site) {
  customElements.define(elementName, TandemChat);
  const chat = document.createElement(elementName);
  chat.setAttribute("mode", "page");
  chat.setAttribute("base", new URL("./", (document.currentScript as HTMLScriptElement).src).href);
  if (qr) chat.setAttribute("qr", qr);
  else chat.setAttribute("site", site as string);
  document.body.append(chat);
} else {
  const p = document.createElement("p");
  p.textContent = nothing[language];
  document.body.append(p);
}

function codeIn(path: string): string | null {
  const code = /\/q\/([^/]+)$/.exec(path)?.[1];
  if (code === undefined) return null;
  try {
    return decodeURIComponent(code);
  } catch {
    return null;
  }
}
