// Journey "widget": the widget in a real browser against a server that is played
// (test/mock.mjs), for what the program's own journeys cannot force: lost networks,
// refusals, hostile texts, other people's pages. It also takes the screenshots.
import assert from "node:assert/strict";
import { mock } from "../test/mock.mjs";
import { noSeriousProblems } from "./axe.mjs";

export const alone = true; // no server is started for it

const open = { "en-GB": "Open the chat", "zh-CN": "打开对话" };
const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

export default async function widget({ browser, check, shot }) {
  // withPage gives a page of a world of its own, and fails on any error in it but those
  // that a lost network brings.
  async function withPage(options, use) {
    const { where = "site", expect = /never/, ...context } = options;
    const world = await mock();
    const ctx = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...context });
    const page = await ctx.newPage();
    const wrong = [];
    page.on("console", (m) => m.type() === "error" && !expect.test(m.text()) && wrong.push(m.text()));
    page.on("pageerror", (err) => wrong.push(String(err)));
    page.on("dialog", (d) => wrong.push(`a dialog: ${d.message()}`));
    try {
      await page.goto(where === "site" ? world.site : world.door + where);
      await use(page, world);
      assert.deepEqual(wrong, [], "the page reports errors");
    } finally {
      await ctx.close();
      await world.stop();
    }
  }
  const lost = /WebSocket|ERR_|Failed to load/;
  const start = async (page) => {
    await page.getByRole("button", { name: open["en-GB"] }).click();
    await page.getByText("Good morning").last().waitFor();
  };
  const field = (page) => page.getByRole("textbox", { name: "Write a message" });
  const say = async (page, text) => {
    await field(page).fill(text);
    await field(page).press("Enter");
  };
  const log = (page) => page.getByRole("log", { name: "Messages" });
  const talk = (world) => [...world.server.conversations.values()][0];

  await check("on a page with a strict policy and loud styles: one widget, one global, no cookie", () =>
    withPage({}, async (page) => {
      await start(page);
      const found = await page.evaluate(() => ({
        elements: document.querySelectorAll("tandem-chat").length,
        globals: Object.getOwnPropertyNames(window).filter((k) => /tandem|preact/i.test(k)),
        cookie: document.cookie,
        font: getComputedStyle(document.querySelector("tandem-chat").shadowRoot.querySelector("h2")).letterSpacing,
        host: getComputedStyle(document.querySelector("#b")).backgroundColor,
      }));
      assert.deepEqual(found, { elements: 1, globals: ["Tandem"], cookie: "", font: "normal", host: "rgb(255, 105, 180)" });
      await page.evaluate(() => window.Tandem.close());
      await page.getByRole("button", { name: "Open the chat" }).waitFor();
      await page.evaluate(() => window.Tandem.open());
      await page.getByRole("dialog", { name: "Harbour Bank" }).waitFor();
    }));

  await check("a telephone number and a code have fields of their kind, and are dots in the talk", () =>
    withPage({}, async (page, world) => {
      await start(page);
      for (const [ask, label, type, autocomplete] of [["5", "Your telephone number", "tel", "tel"], ["6", "The code we have sent", "text", "one-time-code"]]) {
        await say(page, ask);
        const field = page.getByLabel(label);
        await field.fill("13800000001");
        assert.equal(await field.getAttribute("type"), type);
        assert.equal(await field.getAttribute("autocomplete"), autocomplete);
        await field.press("Enter");
        await log(page).getByText("•".repeat(11)).last().waitFor();
        await page.getByRole("textbox", { name: "Write a message" }).waitFor();
      }
      assert.ok(!(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).includes("13800000001"));
      assert.deepEqual(world.server.said.filter((f) => f.secret).length, 2);
    }));

  await check("the place in line is a bar that changes, with ways that are taken by tap and by key", () =>
    withPage({ where: "/chat?site=bank", viewport: { width: 320, height: 640 } }, async (page, world) => {
      await say(page, "9");
      const bar = page.getByRole("region", { name: "Your place in line" });
      await bar.getByText("You are number 3 in line.").waitFor();
      await bar.getByText("The wait is 2 to 5 minutes.").waitFor();
      await page.getByRole("status").getByText("You are number 3 in line.").waitFor();
      assert.equal(await log(page).getByText("number 3").count(), 0, "it is no message");
      world.server.stand(talk(world), { state: "waiting", position: 2, offers: [{ keys: "1", what: "callback", label: "Call me back" }] });
      await bar.getByText("You are number 2 in line.").waitFor();
      await noSeriousProblems(page);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
      await bar.getByRole("button", { name: "Call me back" }).focus();
      await page.keyboard.press("Enter");
      await log(page).getByText("We call you back.").waitFor();
      await bar.waitFor({ state: "detached" });
      await say(page, "0");
      await bar.getByText("You are talking with Ms Lin.").waitFor();
      assert.equal(await bar.getByRole("button").count(), 0);
    }));

  await check("a talk: buttons, numbers, a secret as dots, the state in words", () =>
    withPage({}, async (page, world) => {
      await start(page);
      await page.getByRole("group", { name: "Choices" }).getByRole("button", { name: "Balance of my account" }).click();
      const secret = page.getByLabel("Your reply is hidden");
      await secret.fill("4711");
      assert.equal(await secret.getAttribute("type"), "password");
      await secret.press("Enter");
      await log(page).getByText("••••").waitFor();
      await log(page).getByText("Your balance is").waitFor();
      assert.ok(!(await page.content()).includes("4711"));
      assert.ok(!(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).includes("4711"));
      assert.deepEqual(world.server.said.filter((f) => f.t === "say").map((f) => [f.text, f.secret ?? false]), [["Balance of my account", false], ["4711", true]]);
      await say(page, "3");
      await log(page).getByText("Sent", { exact: true }).last().waitFor();
      assert.equal(await page.getByText("Read", { exact: true }).count(), 0);
      const c = talk(world);
      const own = c.list.findLastIndex((m) => m.from === "customer");
      c.list[own] = { ...c.list[own], state: "read", rev: ++c.rev };
      for (const send of c.live) send(c.list[own]);
      await log(page).getByText("Read", { exact: true }).last().waitFor();
    }));

  await check("Enter while an input method composes does not send; Shift+Enter makes a line", () =>
    withPage({}, async (page, world) => {
      await start(page);
      const f = field(page);
      await f.focus();
      const cdp = await page.context().newCDPSession(page);
      await cdp.send("Input.imeSetComposition", { text: "ni hao", selectionStart: 6, selectionEnd: 6 });
      await f.evaluate((el) => el.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, isComposing: true, cancelable: true })));
      await f.evaluate((el) => el.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, cancelable: true })));
      await cdp.send("Input.insertText", { text: "你好" });
      await page.keyboard.press("Shift+Enter");
      await page.keyboard.type("再见");
      assert.equal(await f.inputValue(), "你好\n再见");
      const [one, two] = [await f.evaluate((el) => el.clientHeight), 40];
      assert.ok(one > two, `the field grows: ${one}`);
      assert.equal(world.server.said.filter((x) => x.t === "say").length, 0);
      await page.keyboard.press("Enter");
      await log(page).getByText("You said").waitFor();
      assert.equal(world.server.said.find((x) => x.t === "say").text, "你好\n再见");
    }));

  await check("by keyboard alone: in, along, out, and back where one was", () =>
    withPage({}, async (page) => {
      await page.getByRole("button", { name: "Open the chat" }).waitFor();
      await page.getByRole("button", { name: "A button" }).focus();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByText("Good morning").last().waitFor();
      const focused = () => page.evaluate(() => {
        const el = document.querySelector("tandem-chat").shadowRoot.activeElement;
        return el?.getAttribute("aria-label") ?? el?.textContent ?? el?.tagName ?? null;
      });
      assert.equal(await page.evaluate(() => document.querySelector("tandem-chat").shadowRoot.activeElement.tagName), "TEXTAREA");
      const seen = [];
      for (let i = 0; i < 8; i++) {
        await page.keyboard.press("Shift+Tab");
        seen.push(await focused());
      }
      assert.deepEqual(seen, ["Attach a picture", "0Speak to somebody", "3Set up online banking", "2Block a card", "1Balance of my account", "Messages", "Close the chat", "More"]);
      await page.keyboard.press("Enter");
      await page.getByRole("radio", { name: "English" }).waitFor();
      await page.keyboard.press("Escape");
      assert.equal(await page.getByRole("radio", { name: "English" }).count(), 0, "Escape closes the inner thing first");
      await page.keyboard.press("Escape");
      assert.equal(await page.getByRole("dialog").count(), 0);
      await page.waitForFunction(() => document.querySelector("tandem-chat").shadowRoot.activeElement?.className === "launcher");
      await page.keyboard.press("Enter");
      const outside = [];
      for (let i = 0; i < 4; i++) {
        await page.keyboard.press("Tab");
        outside.push(await page.evaluate(() => document.activeElement?.tagName));
      }
      assert.ok(outside.includes("BUTTON"), `Tab leaves the panel, it is no trap: ${outside}`);
    }));

  await check("what is new is told to screen readers, what was there is not", () =>
    withPage({}, async (page, world) => {
      await start(page);
      const news = page.locator("tandem-chat").getByRole("status").first();
      await page.waitForFunction(() => document.querySelector("tandem-chat").shadowRoot.querySelector("[role=status]").textContent.includes("Assistant: Good morning"));
      await page.reload();
      await page.getByRole("button", { name: "Open the chat" }).click();
      await log(page).getByText("Good morning").waitFor();
      assert.equal(await news.textContent(), "");
      world.server.add(talk(world), { from: "agent", name: "Ms Lin", text: "Hello" });
      await page.waitForFunction(() => document.querySelector("tandem-chat").shadowRoot.querySelector("[role=status]").textContent === "Ms Lin: Hello");
      await page.keyboard.press("Escape");
      world.server.add(talk(world), { from: "agent", name: "Ms Lin", text: "Are you there?" });
      await page.getByRole("button", { name: "Open the chat, 1 new message" }).waitFor();
    }));

  await check("five minutes without a network, a reload in between: nothing lost, doubled or out of order", () =>
    withPage({ expect: lost }, async (page, world) => {
      await start(page);
      world.down = true;
      for (const t of ["one", "two", "three"]) await say(page, t);
      await page.getByText("The chat cannot be reached").waitFor();
      assert.equal(await page.getByText("Waiting to be sent").count(), 3);
      await page.reload();
      await page.getByRole("button", { name: "Open the chat" }).click();
      await log(page).getByText("three").waitFor();
      await say(page, "four");
      world.down = false;
      await page.evaluate(() => dispatchEvent(new Event("online")));
      await log(page).getByText("You said: four").waitFor();
      const said = talk(world).list.filter((m) => m.from === "customer").map((m) => m.text);
      assert.deepEqual(said, ["one", "two", "three", "four"]);
      assert.deepEqual(await log(page).locator("li.own .text").allTextContents(), said);
      assert.equal(await page.evaluate(() => Object.keys(localStorage).length), 1);
    }));

  await check("a refused message is told in words and can be tried again", () =>
    withPage({}, async (page, world) => {
      await start(page);
      world.server.refuse.push({ code: "too_long" });
      await say(page, "much too long");
      await page.getByRole("alert").getByText("The message is too long").waitFor();
      await page.getByRole("button", { name: "Try again" }).click();
      await log(page).getByText("You said: much too long").waitFor();
      assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
    }));

  await check("pictures: chosen, pasted and dropped; too large and of another kind are told", () =>
    withPage({}, async (page, world) => {
      await start(page);
      const chooser = page.locator("tandem-chat input[type=file]");
      await chooser.setInputFiles({ name: "a.png", mimeType: "image/png", buffer: png });
      await page.getByText("PNG, 0.1 kB").waitFor();
      await page.getByRole("button", { name: "Remove the picture: a.png" }).click();
      assert.equal(await page.getByText("PNG, 0.1 kB").count(), 0);
      await chooser.setInputFiles({ name: "a.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg/>") });
      await page.getByText("Only pictures can be sent").waitFor();
      await chooser.setInputFiles({ name: "b.png", mimeType: "image/png", buffer: Buffer.alloc((8 << 20) + 1) });
      await page.getByText("The picture is larger than 8 MB.").waitFor();
      const give = (kind) =>
        page.evaluate(([kind, bytes]) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(bytes)], `${kind}.png`, { type: "image/png" }));
          const root = document.querySelector("tandem-chat").shadowRoot;
          if (kind === "pasted") root.querySelector("textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
          else for (const t of ["dragover", "drop"]) root.querySelector(".log").dispatchEvent(new DragEvent(t, { dataTransfer: data, bubbles: true, cancelable: true, composed: true }));
        }, [kind, [...png]]);
      await give("pasted");
      await page.getByRole("button", { name: "Remove the picture: pasted.png" }).waitFor();
      await give("dropped");
      await page.getByRole("button", { name: "Remove the picture: dropped.png" }).waitFor();
      await field(page).fill("with words");
      await page.getByRole("button", { name: "Send" }).click();
      await log(page).getByText("You said: with words").waitFor();
      assert.deepEqual(talk(world).list.filter((m) => m.from === "customer").map((m) => m.attachment?.id ?? m.text), ["b0", "b1", "with words"]);
      const large = page.getByRole("button", { name: "Picture. Show the picture large" }).first();
      await large.click();
      await page.getByRole("button", { name: "Close the picture" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog", { name: "Harbour Bank" }).waitFor();
    }));

  await check("a link opens in a tab of its own that knows nothing of this page; one that fails is told", () =>
    withPage({ expect: /status of 422/ }, async (page, world) => {
      await start(page);
      await say(page, "3");
      const button = page.getByRole("button", { name: "Set up online banking" });
      const [tab] = await Promise.all([page.context().waitForEvent("page"), button.click()]);
      await tab.getByText("The link's page").waitFor();
      assert.deepEqual(await tab.evaluate(() => [window.opener, document.referrer]), [null, ""]);
      await page.getByRole("link", { name: "Tap here if the page did not open" }).waitFor();
      world.control.linkStatus = 422;
      await button.click();
      await page.getByText("This link is no longer valid").waitFor();
      const c = talk(world);
      const at = c.list.findIndex((m) => m.link);
      c.list[at] = { ...c.list[at], rev: ++c.rev, link: { ...c.list[at].link, state: "done" } };
      for (const send of c.live) send(c.list[at]);
      await log(page).getByText("Done").waitFor();
      assert.equal(await button.count(), 0);
    }));

  await check("call me back: number, code, the number of the request; mistakes in words", () =>
    withPage({ expect: /status of 422/ }, async (page, world) => {
      await start(page);
      await page.getByRole("button", { name: "Call me back" }).click();
      const phone = page.getByRole("textbox", { name: "Your telephone number" });
      await phone.fill("abc");
      await page.getByRole("button", { name: "Text me the code" }).click();
      await page.getByText("Please enter a telephone number").waitFor();
      assert.equal(await phone.getAttribute("aria-invalid"), "true");
      world.control.callStatus = 422;
      await phone.fill("+86 138-0000-0001");
      await page.getByRole("button", { name: "Text me the code" }).click();
      await page.getByText("We cannot call or text this number").waitFor();
      world.control.callStatus = 202;
      await page.getByRole("radio", { name: "At a time of your choice" }).check();
      await page.getByLabel("Day and time").fill("2020-01-01T10:00");
      await page.getByRole("button", { name: "Text me the code" }).click();
      await page.getByText("within the next two weeks").waitFor();
      await page.getByLabel("Day and time").fill("2099-05-06T10:30");
      await page.getByRole("button", { name: "Text me the code" }).click();
      await page.getByText("We have texted a code to +8613800000001").waitFor();
      await page.getByRole("textbox", { name: "Code" }).fill("111111");
      await page.keyboard.press("Enter");
      await page.getByText("The code is not right").waitFor();
      world.control.at = "2099-05-06T10:30:00Z";
      await page.getByRole("textbox", { name: "Code" }).fill("123456");
      await page.keyboard.press("Enter");
      await page.getByText("4821 9305 776").waitFor();
      await page.getByText("6 May 2099").waitFor();
      await page.getByRole("button", { name: "Back to the chat" }).last().click();
      await log(page).waitFor();
    }));

  await check("hostile texts everywhere: nothing runs, nothing is made of them", () =>
    withPage({ expect: /status of 404/ }, async (page, world) => {
      await start(page);
      const hostile = [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg/onload=alert(1)>', "javascript:alert(1)", "https://x.example/\"onmouseover=alert(1)",
        "https://bank.example@evil.example/", "\u202ehttps://evil.example/\u202c", "{{constructor.constructor('alert(1)')()}}", "<a href=https://evil.example>x</a>", "\u0000\ufeff</style><style>*{display:none}",
      ];
      for (const text of hostile) {
        world.server.add(talk(world), { from: "agent", name: text, text, buttons: [{ label: text, keys: text }], link: { id: "../../../evil", label: text, state: "made" }, image: "https://evil.example/x.png" });
        world.server.add(talk(world), { from: "system", text });
        await say(page, text);
      }
      await log(page).getByText(`You said: ${hostile[4]}`).waitFor();
      const found = await page.evaluate(() => {
        const root = document.querySelector("tandem-chat").shadowRoot;
        return {
          odd: [...root.querySelectorAll("script, img, iframe, style, object, svg:not(.icon)")].map((e) => e.outerHTML),
          on: [...root.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => a.name.startsWith("on"))).length,
          links: [...new Set([...root.querySelectorAll("a")].map((a) => a.href))].sort(),
        };
      });
      assert.deepEqual(found, { odd: [], on: 0, links: ["https://evil.example/", "https://x.example/"] });
    }));

  await check("a picture of another origin is never asked for", () =>
    withPage({ expect: /status of 404/ }, async (page, world) => {
      await start(page);
      const asked = [];
      page.on("request", (r) => asked.push(r.url()));
      world.server.add(talk(world), { from: "flow", text: "look", image: "//evil.example/x.png" });
      world.server.add(talk(world), { from: "flow", text: "look", image: "https://evil.example/x.png" });
      await page.getByText("The picture cannot be shown.").last().waitFor();
      assert.deepEqual(asked.filter((u) => !u.startsWith(world.door)), []);
    }));

  await check("several tabs are one person's", () =>
    withPage({}, async (page, world) => {
      await start(page);
      const other = await page.context().newPage();
      await other.goto(world.site);
      await other.getByRole("button", { name: "Open the chat" }).click();
      await other.getByText("Good morning").last().waitFor();
      await say(page, "from the first");
      await log(other).getByText("You said: from the first").waitFor();
      await say(other, "from the second");
      await log(page).getByText("You said: from the second").waitFor();
      assert.equal(world.server.conversations.size, 1);
    }));

  await check("the chat's page by site and by QR code, and the way from a link", () =>
    withPage({ where: "/chat?site=bank" }, async (page, world) => {
      await page.getByText("Good morning").last().waitFor();
      assert.equal(await page.title(), "Harbour Bank");
      assert.equal(world.server.said[0].site, "bank");
      const token = talk(world).token;
      await page.goto(`${world.door}/q/branch%2012`);
      await page.getByText("Good morning").last().waitFor();
      assert.equal(world.server.said.findLast((f) => f.t === "hello").qr, "branch 12");
      assert.equal(world.server.conversations.size, 2);
      await page.evaluate(() => {
        localStorage.clear();
        localStorage.setItem("tandem:bank", '{"token":"another","lang":"en"}');
        localStorage.setItem("tandem:bank:say:x", '{"at":1,"text":"of another talk"}');
      });
      await page.goto(`${world.door}/handoff?token=${token}`);
      await page.waitForURL(`${world.door}/chat?site=bank`);
      await page.getByText("Good morning").last().waitFor();
      assert.equal(world.server.said.findLast((f) => f.t === "hello").token, token);
      assert.equal(world.server.conversations.size, 2);
      assert.equal(await page.evaluate(() => JSON.stringify(localStorage)), JSON.stringify({ "tandem:bank": JSON.stringify({ token, lang: "en" }) }));
      await page.goto(`${world.door}/chat`);
      await page.getByText("This address leads to no chat.").waitFor();
    }));

  await check("the talk can be downloaded", () =>
    withPage({}, async (page) => {
      await start(page);
      await page.getByRole("button", { name: "More" }).click();
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download this talk" }).click()]);
      assert.equal(file.suggestedFilename(), "talk.html");
    }));

  await check("the language is switched, kept, and the page's is the default", () =>
    withPage({ locale: "zh-CN" }, async (page) => {
      await start(page); // the page says en
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("radio", { name: "中文" }).check();
      await page.getByRole("textbox", { name: "输入消息" }).waitFor();
      await page.reload();
      await page.getByRole("button", { name: "打开对话" }).waitFor();
    }));

  await check("the demo's phone: texts come, are answered, their links open; keys say how to dial", () =>
    withPage({ where: "/" }, async (page, world) => {
      world.control.text({ text: `Harbour Bank: set up online banking here ${world.door}/l/token. Valid for 15 minutes.` });
      const inbox = page.getByRole("log", { name: "Texts" });
      const [tab] = await Promise.all([page.context().waitForEvent("page"), inbox.getByRole("link", { name: `${world.door}/l/token` }).click()]);
      await tab.getByText("The link's page").waitFor();
      assert.deepEqual(await tab.evaluate(() => [window.opener, document.referrer]), [null, ""]);
      await page.bringToFront();
      await page.getByRole("textbox", { name: "Write a text" }).fill("STOP");
      await page.keyboard.press("Enter");
      await inbox.getByText("STOP").waitFor();
      for (const key of "95599") await page.getByRole("button", { name: key, exact: true }).click();
      await page.getByRole("region", { name: "A customer's telephone" }).getByRole("link", { name: "sip:95599@127.0.0.1:5060" }).waitFor();
      await page.getByRole("button", { name: "Open the chat" }).waitFor();
    }));

  await looks({ browser, check, shot });
}

const seenIn = [[320, "en-GB", "light"], [390, "en-GB", "light"], [390, "zh-CN", "dark"], [1280, "zh-CN", "light"], [1280, "en-GB", "dark"]];

// looks takes the screenshots, and has axe look at each of them.
async function looks({ browser, check, shot }) {
  for (const [width, locale, colorScheme] of seenIn) {
    await check(`looks: ${width} px, ${locale}, ${colorScheme}`, async () => {
      const world = await mock();
      const ctx = await browser.newContext({ locale, colorScheme, viewport: { width, height: width === 320 ? 568 : 800 }, reducedMotion: "reduce" });
      try {
        await oneLook(await ctx.newPage(), world, locale === "zh-CN", (page, what) => take(page, `${what}-${width}-${colorScheme}-${locale.slice(0, 2)}`));
      } finally {
        await ctx.close();
        await world.stop();
      }
    }, 180_000);
  }
  async function take(page, name) {
    const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    await shot(page, name, { fullPage: name.startsWith("demo") });
    assert.ok(wide <= view, `${name}: ${wide} px wide in a view of ${view}`);
    await noSeriousProblems(page);
  }
}

async function oneLook(page, world, zh, take) {
  const w = (en, cn) => (zh ? cn : en);
  await page.goto(world.door + "/");
  await page.evaluate((lang) => localStorage.setItem("tandem.language", lang), w("en", "zh-CN"));
  world.control.text({ text: w("Harbour Bank: your code is 4821. Nobody of the bank will ask you for it.", "【海港银行】您的验证码是 4821，银行人员不会向您索取。") });
  world.control.text({ text: `${w("Harbour Bank: set up online banking here", "【海港银行】请在此开通网上银行")} ${world.door}/l/3q9Zx1-aaBBccDDeeFFgg` });
  world.control.text({ text: w("Thank you", "谢谢"), by_phone: true, state: "sent" });
  await page.reload();
  await page.getByText(w("Thank you", "谢谢")).first().waitFor();
  await page.getByRole("button", { name: w("Open the chat", "打开对话") }).waitFor();
  await take(page, "demo-page");
  await page.getByRole("button", { name: w("Open the chat", "打开对话") }).click();
  await page.getByText(w("Good morning", "您好")).last().waitFor();
  await take(page, "greeting");

  const field = page.getByRole("textbox", { name: w("Write a message", "输入消息") });
  const say = async (text) => {
    await field.fill(text);
    await field.press("Enter");
    await page.waitForTimeout(60);
  };
  await page.getByRole("button", { name: w("Balance of my account", "查询余额") }).click();
  const secret = page.getByLabel(w("Your reply is hidden", "输入内容不会显示"));
  await secret.fill("4711");
  await take(page, "secret");
  await secret.press("Enter");
  await page.getByText(w("Your balance is", "您的余额")).last().waitFor();
  await say("3");
  await page.getByRole("button", { name: w("Set up online banking", "开通网上银行") }).waitFor();
  await page.getByRole("button", { name: w("More", "更多") }).click();
  await take(page, "link-and-menu");
  await page.keyboard.press("Escape");
  const drawn = await page.evaluate(async () => {
    const c = new OffscreenCanvas(640, 400);
    const g = c.getContext("2d");
    for (let i = 0; i < 40; i++) {
      g.fillStyle = `hsl(${i * 9} 60% 55%)`;
      g.fillRect(i * 16, 0, 16, 400 - i * 6);
    }
    return [...new Uint8Array(await (await c.convertToBlob()).arrayBuffer())];
  });
  await page.locator("tandem-chat input[type=file]").setInputFiles({ name: "card.png", mimeType: "image/png", buffer: Buffer.from(drawn) });
  await field.fill(w("This is the letter I got.\nWhat does it mean?", "这是我收到的信。\n请问是什么意思？"));
  await page.waitForTimeout(200);
  await take(page, "attachment");
  await page.getByRole("button", { name: w("Send", "发送"), exact: true }).last().click();
  await page.getByText(w("You said: This is the letter", "您说：这是我收到的信")).last().waitFor();
  await say(w("A rather long sentence, as people write them when they tell what has happened to them on a long day, with https://bank.example/a/very/long/address/that/does/not/fit/into/one/line?at=all in it.", "这是一句比较长的话，人们在讲述一天发生的事情时常常这样写，其中还有一个很长的网址 https://bank.example/a/very/long/address/that/does/not/fit/into/one/line?at=all 。"));
  await say("0");
  await page.waitForTimeout(400);
  await take(page, "talk");
  world.server.refuse.push({ code: "too_long" });
  await say(w("This one is refused", "这一条会被拒绝"));
  await page.getByRole("button", { name: w("Try again", "重试") }).waitFor();
  await take(page, "failed");
  world.down = true;
  await say(w("Written without a network", "断网时写的"));
  await page.getByText(w("cannot be reached", "暂时无法连接")).waitFor();
  await take(page, "offline");
  world.down = false;
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await page.getByText(w("You said: Written", "您说：断网")).last().waitFor();
  for (const c of world.server.conversations.values()) world.server.stand(c, null); // it is the flow that answers again
  world.control.pause = 5_000;
  await say(w("Are you there?", "在吗？"));
  await page.locator("tandem-chat .busy").waitFor();
  await take(page, "typing");

  await page.getByRole("button", { name: w("Call me back", "预约回电") }).click();
  await page.getByRole("radio", { name: w("At a time of your choice", "指定时间") }).check();
  await page.getByRole("button", { name: w("Text me the code", "获取验证码") }).click();
  await take(page, "callback-wrong");
  await page.getByRole("textbox", { name: w("Your telephone number", "您的电话号码") }).fill("+8613800000001");
  await page.getByRole("radio", { name: w("As soon as possible", "尽快") }).check();
  await take(page, "callback-1");
  await page.getByRole("button", { name: w("Text me the code", "获取验证码") }).click();
  await page.getByRole("textbox", { name: w("Code", "验证码") }).fill("123456");
  await take(page, "callback-2");
  await page.getByRole("textbox", { name: w("Code", "验证码") }).press("Enter"); // where it is, whatever has the focus
  await page.getByText("4821 9305 776").waitFor();
  await take(page, "callback-3");
  await page.getByRole("button", { name: w("Back to the chat", "返回对话") }).last().click();
  await page.getByText(w("You said: Are you there?", "您说：在吗？")).last().waitFor();
  await page.getByRole("button", { name: w("Close the chat", "关闭对话") }).click();
  world.server.add([...world.server.conversations.values()][0], { from: "agent", text: "…" });
  await page.getByRole("button", { name: w("1 new message", "1 条新消息") }).waitFor();
  await take(page, "launcher-unread");

  world.control.welcome = { place: w("Branch 12, Harbour Road", "海港路 12 号网点") };
  await page.goto(world.door + "/q/branch-12");
  await page.getByText(w("Good morning", "您好")).last().waitFor();
  await take(page, "chat-page");
}
