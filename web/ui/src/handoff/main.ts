// The way from a link page into the chat: the page that answers "go on here" carries the
// conversation's token in a block of JSON; this puts it where the widget looks, and goes
// there. The page stays in no history.
interface Handoff {
  site?: string;
  qr?: string;
  token: string;
  lang?: string; // in which the customer was spoken with until here
}

const block = document.getElementById("tandem-handoff");
const script = document.currentScript as HTMLScriptElement | null;
if (block && script) {
  const { site, qr, token, lang } = JSON.parse(block.textContent ?? "") as Handoff;
  const key = "tandem:" + (qr !== undefined ? "qr:" + qr : site);
  // What waited to be sent belongs to the talk that was here before; settings stay.
  for (const k of Object.keys(localStorage)) if (k.startsWith(key + ":say:")) localStorage.removeItem(k);
  localStorage.setItem(key, JSON.stringify({ ...kept(key), token }));
  const chat = new URL("chat", script.src);
  chat.searchParams.set(qr !== undefined ? "qr" : "site", (qr ?? site) as string);
  if (lang) chat.searchParams.set("lang", lang);
  location.replace(chat);
}

function kept(key: string): object {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") as object;
  } catch {
    return {};
  }
}
