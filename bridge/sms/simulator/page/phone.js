// The phones' page: it asks the API once a second. All that is shown of texts is set as
// text, never as markup.
import { words } from "/words.js";

const $ = (id) => document.getElementById(id);
const RATES = ["fail", "temporary", "too_many", "vanish", "undelivered", "lost", "double", "reorder", "double_in", "reorder_in"];
const KNOBS = ["delay_ms", "retry_after_s", ...RATES, "read"];

let lang = localStorage.getItem("lang") || (navigator.language.startsWith("zh") ? "zh-CN" : "en");
let phone = new URLSearchParams(location.search).get("phone") || localStorage.getItem("phone") || "";
let messages = new Map(); // by id
let rev = 0;
let known = { phones: [], numbers: [], counts: {} };

const say = (key, n) => words[lang][key].replace("{n}", n);

function element(name, text, className) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  return e;
}

async function ask(path, method = "GET", body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const data = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error(data.message);
  return data;
}

// Texts have their addresses as links that open beside this page.
function linked(text) {
  const p = element("p", undefined, "said");
  let at = 0;
  for (const found of text.matchAll(/https?:\/\/[^\s<>"'，。；！？、）】]+/g)) {
    const address = found[0].replace(/[.,;:!?)]+$/, "");
    p.append(text.slice(at, found.index));
    const a = element("a", address);
    a.href = address;
    a.target = "_blank";
    a.rel = "noopener noreferrer";
    p.append(a);
    at = found.index + address.length;
  }
  p.append(text.slice(at));
  return p;
}

function bubble(m) {
  const b = element("article", undefined, m.by_phone ? "bubble mine" : "bubble");
  b.dataset.id = m.id;
  b.dataset.state = m.state;
  if (m.template) {
    b.append(element("p", say("template", m.template), "said"));
    for (const [name, value] of Object.entries(m.params || {})) b.append(element("p", `${name} = ${value}`, "param"));
  }
  if (m.text) b.append(linked(m.text));
  const about = [new Date(m.at).toLocaleTimeString(lang), words[lang].states[m.state]];
  if (!m.by_phone) about.unshift(say("us", m.from));
  if (m.encoding) about.push(m.encoding);
  about.push(m.parts === 1 ? say("part") : say("parts", m.parts));
  b.append(element("p", about.join(" · "), "about"));
  return b;
}

function drawLog() {
  const log = $("log");
  const low = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const list = [...messages.values()];
  $("holder").textContent = phone ? say("holder", phone) : say("nobody");
  if (list.length === 0) {
    log.replaceChildren(element("p", say("empty"), "hint"));
    return;
  }
  log.querySelectorAll(".hint").forEach((e) => e.remove());
  for (const m of list) { // only what changed is drawn anew, so that it is read out once
    const old = [...log.children].find((e) => e.dataset.id === m.id);
    if (old && old.dataset.rev === String(m.rev) && old.lang === lang) continue;
    const b = bubble(m);
    b.dataset.rev = m.rev;
    b.lang = lang;
    if (old) old.replaceWith(b);
    else log.append(b);
  }
  if (low) log.scrollTop = log.scrollHeight;
}

function drawPhones() {
  const rows = known.phones.map((p) => {
    const li = element("li");
    const b = element("button");
    b.type = "button";
    b.append(element("strong", p.number), element("span", p.last));
    if (p.number === phone) b.setAttribute("aria-current", "true");
    b.addEventListener("click", () => choose(p.number));
    li.append(b);
    return li;
  });
  if (rows.length === 0) rows.push(element("li", say("none"), "hint"));
  const focused = document.activeElement?.closest?.("#phones button")?.querySelector("strong")?.textContent;
  $("phones").replaceChildren(...rows);
  if (focused) [...$("phones").querySelectorAll("button")].find((b) => b.querySelector("strong").textContent === focused)?.focus();
  const to = $("to");
  if (to.options.length !== known.numbers.length) to.replaceChildren(...known.numbers.map((n) => new Option(n, n)));
  $("counts").replaceChildren(...Object.entries(words[lang].count).flatMap(([key, name]) => [element("dt", name), element("dd", String(known.counts[key] ?? 0))]));
}

function choose(number) {
  phone = number;
  localStorage.setItem("phone", number);
  messages = new Map();
  rev = 0;
  $("log").replaceChildren();
  drawPhones();
  drawLog();
  look();
}

let drawn = "";
async function look() {
  const of = phone;
  try {
    known = await ask("/phones");
    if (!phone && known.phones.length > 0) {
      choose(known.phones[0].number);
      return;
    }
    if (of) {
      const got = await ask(`/phones/${encodeURIComponent(of)}/messages?after=${rev}`);
      if (of !== phone) return;
      if (got.rev < rev) { // the simulator began anew
        choose(of);
        return;
      }
      rev = got.rev;
      for (const m of got.messages) {
        if (!messages.has(m.id) && !m.by_phone && [...$("to").options].some((o) => o.value === m.from)) $("to").value = m.from;
        messages.set(m.id, m);
      }
    }
    $("failed").textContent = "";
    drawLog();
    const now = JSON.stringify([known, phone, lang]);
    if (now !== drawn) drawPhones();
    drawn = now;
  } catch {
    $("failed").textContent = say("unreachable");
  }
}

function drawKnobs(values) {
  $("knobs").replaceChildren(...KNOBS.map((name) => {
    const label = element("label", undefined, "knob");
    const input = element("input");
    input.name = name;
    if (name === "read") {
      input.type = "checkbox";
      input.checked = values.read;
    } else {
      input.type = "number";
      input.min = 0;
      input.required = true;
      if (RATES.includes(name)) {
        input.max = 1;
        input.step = 0.01;
      }
      input.value = values[name];
    }
    label.append(element("span", words[lang].knob[name]), input);
    return label;
  }));
}

function readKnobs() {
  const values = {};
  for (const input of $("knobs").elements) {
    if (KNOBS.includes(input.name)) values[input.name] = input.type === "checkbox" ? input.checked : Number(input.value);
  }
  return values;
}

async function speak(to) {
  lang = to;
  localStorage.setItem("lang", to);
  document.documentElement.lang = to;
  document.title = say("title");
  for (const e of document.querySelectorAll("[data-word]")) e.textContent = words[lang][e.dataset.word];
  for (const e of document.querySelectorAll("[data-label]")) e.setAttribute("aria-label", words[lang][e.dataset.label]);
  $("lang-en").setAttribute("aria-pressed", String(to === "en"));
  $("lang-zh").setAttribute("aria-pressed", String(to === "zh-CN"));
  $("set").textContent = "";
  drawPhones();
  drawLog();
  if ($("knobs").elements.length > 2) drawKnobs(readKnobs());
}

$("lang-en").addEventListener("click", () => speak("en"));
$("lang-zh").addEventListener("click", () => speak("zh-CN"));
$("other").addEventListener("submit", (e) => {
  e.preventDefault();
  choose($("number").value.replace(/[\s().-]/g, ""));
  $("text").focus();
});
$("write").addEventListener("submit", async (e) => {
  e.preventDefault();
  const text = $("text").value;
  if (!phone || !text) return;
  try {
    await ask(`/phones/${encodeURIComponent(phone)}/reply`, "POST", { text, to: $("to").value, double: $("double").checked });
    $("text").value = "";
    await look();
  } catch (error) {
    $("failed").textContent = error.message;
  }
});
$("text").addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing && e.keyCode !== 229) {
    e.preventDefault();
    $("write").requestSubmit();
  }
});
$("knobs").addEventListener("submit", async (e) => {
  e.preventDefault();
  const next = e.submitter?.id === "next";
  try {
    await ask(next ? "/knobs/next" : "/knobs", "PUT", readKnobs());
    $("set").textContent = say(next ? "setNext" : "set");
  } catch (error) {
    $("set").textContent = error.message;
  }
});

await speak(lang);
drawKnobs(await ask("/knobs"));
await look();
for (;;) {
  await new Promise((done) => setTimeout(done, document.hidden ? 5000 : 1000));
  await look();
}
