// The way from a link page into the chat: the page that answers "go on here" carries the
// conversation's token in a block of JSON; this puts it where the widget looks, and goes
// there. The page stays in no history.
interface Handoff {
  site?: string;
  qr?: string;
  token: string;
}

const block = document.getElementById("tandem-handoff");
const script = document.currentScript as HTMLScriptElement | null;
if (block && script) {
  const { site, qr, token } = JSON.parse(block.textContent ?? "") as Handoff;
  const key = "tandem:" + (qr !== undefined ? "qr:" + qr : site);
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "{}") as object;
    localStorage.setItem(key, JSON.stringify({ ...kept, token }));
  } catch {
    localStorage.setItem(key, JSON.stringify({ token }));
  }
  const chat = new URL("chat", script.src);
  chat.searchParams.set(qr !== undefined ? "qr" : "site", (qr ?? site) as string);
  location.replace(chat);
}
