// The widget on other people's pages, and texts that try to become something else.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { chat, is, until } from "./world.mjs";

// somebody serves a page of their own, under a policy that lets in scripts of one host and
// nothing else; door says which, once it is known.
export async function somebody(door) {
  const site = createServer((_, r) => {
    r.writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; script-src ${door()}; connect-src ${door()} ${door().replace("http", "ws")}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'`,
    });
    r.end(`<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1><script src="${door()}/widget.js" data-site="demo" async></script>`);
  });
  await new Promise((ok) => site.listen(0, "127.0.0.1", ok));
  return {
    origin: `http://127.0.0.1:${site.address().port}`,
    stop() {
      site.closeAllConnections();
      return new Promise((ok) => site.close(ok));
    },
  };
}

// hosts checks; listed is a page whose origin the server knows, stranger one that it does not.
export async function hosts(w, { check }, listed, stranger) {
  await check("on a listed page with a strict policy it works; on a page that is not listed it says so", async () => {
    await w.visit({ at: listed.origin }, async (page) => {
      const c = chat(page);
      const since = new Date();
      await c.open();
      await c.reads("What can we do for you?");
      await c.tap("An adviser");
      await c.reads("Is that all right?");
      await page.reload();
      await c.open();
      await c.log.getByText("An adviser", { exact: true }).first().waitFor();
      await w.begun("chat:demo", since);
    });
    const since = new Date();
    await w.visit({ at: stranger.origin, expect: /WebSocket|CORS|ERR_FAILED|status of 403/ }, async (page) => {
      await chat(page).open();
      await page.getByText("The chat is not set up for this page.").waitFor();
      await page.waitForTimeout(500);
    });
    assert.ok(!(await w.list()).some((i) => i.entry === "chat:demo" && new Date(i.started) >= since), "nothing begins there");
  });

  await check("hostile texts by chat, by text message and on a link's page are shown as texts", async () => {
    const texts = hostile();
    await Promise.all([byChat(texts.slice(0, 10)), byChat(texts.slice(10, 20)), byChat(texts.slice(20)), byText(texts), byPage(texts)]);
  }, 90_000);

  async function byChat(texts) {
    await w.visit({}, async (page, context) => {
      const c = chat(page);
      await c.open();
      await c.reads("What can we do for you?");
      for (const text of texts) await c.say(text);
      const all = () => c.own();
      await until("all are sent", async () => (await page.getByText("Waiting to be sent").count()) === 0, 30_000);
      assert.deepEqual(await all(), texts);
      await still(page, "tandem-chat");
      await page.reload();
      await c.open();
      await until("all are there again", async () => (await all()).length === texts.length);
      assert.deepEqual(await all(), texts);
      await still(page, "tandem-chat");
      await page.getByRole("button", { name: "More" }).click();
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download this talk" }).click()]);
      const talk = await context.newPage(); // as it is opened from the person's disk
      const saved = `${await file.path()}.html`;
      await file.saveAs(saved);
      await talk.goto(`file://${saved}`);
      const told = await talk.locator(".text").allTextContents();
      for (const text of texts) assert.ok(told.includes(text), `the download has ${text}`);
      await still(talk, "body");
    });
  }

  async function byText(texts) {
    await w.visit({}, async (demo) => {
      await demo.getByRole("log", { name: "Texts" }).waitFor();
      for (const text of texts) await w.reply("+8613800000001", text);
      const inbox = demo.getByRole("log", { name: "Texts" });
      for (const text of texts) await until(`the inbox shows ${text}`, async () => (await inbox.locator("p.text").allTextContents()).includes(text));
      await still(demo, ".inbox");
      const { id } = await w.begun("sms:+861055550100", new Date(0), (i) => i.from === "+8613800000001");
      const theirs = (story) => story.events.filter(is("message.added", { from: "customer" })).map((e) => e.data.text);
      const story = await w.told(id, "all texts", (s) => texts.every((text) => theirs(s).includes(text)), 20_000);
      assert.ok(theirs(story).length <= texts.length + 1, "none is doubled"); // and one that was there before
    });
  }

  async function byPage(texts) {
    const since = new Date();
    const number = "+8613800000031";
    await w.reply(number, "你好");
    await w.text(number, /网上银行/, since);
    await w.reply(number, "网银");
    await w.visit({ at: await w.link(number, since), locale: "zh-CN", expect: /status of 4(00|22)/ }, async (page) => {
      await page.getByRole("button", { name: "打开", exact: true }).click();
      const [user, mail] = [page.getByLabel("您想用的用户名"), page.getByLabel("接收通知的邮箱")];
      for (const text of texts) {
        await user.fill(text);
        await mail.fill("no mail address"); // so that the page comes again with what was filled in
        await page.getByRole("button", { name: "确认开通" }).click();
        await page.getByRole("alert").waitFor();
        assert.equal(await user.inputValue(), text.replaceAll(/[\r\n]/g, ""));
        await still(page, "body");
      }
    });
  }
}

// still fails if anything but text came of a text.
async function still(page, where) {
  const odd = await page.evaluate((where) => {
    const from = document.querySelector(where);
    const root = from.shadowRoot ?? from;
    return {
      hacked: "hacked" in window,
      made: [...root.querySelectorAll("img, iframe, object, embed, base, meta, style, script:not([src])")].filter((e) => !e.closest("header")).map((e) => e.outerHTML.slice(0, 200)),
      on: [...root.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => a.name.startsWith("on"))).map((e) => e.outerHTML.slice(0, 200)),
      to: [...root.querySelectorAll("a, form")].map((e) => e.getAttribute("href") ?? e.getAttribute("action") ?? "").filter((to) => /^\s*(javascript|data|vbscript|file):/i.test(to)),
    };
  }, where);
  assert.deepEqual(odd, { hacked: false, made: [], on: [], to: [] });
}

// hostile is thirty texts that are more than text where nobody takes care.
function hostile() {
  return [
    "<script>window.hacked=1</script>", "<img src=x onerror=\"window.hacked=1\">", "\"><svg/onload=window.hacked=1>", "'><iframe src=\"javascript:top.hacked=1\"></iframe>", "</textarea><script>window.hacked=1</script>",
    "</title></style></script><img src=x onerror=window.hacked=1>", "javascript:window.hacked=1", "JaVaScRiPt:window.hacked=1//https://x.example", "data:text/html,<script>hacked=1</script>", "https://bank.example@evil.example/",
    "https://x.example/\" onmouseover=\"window.hacked=1", "\u202ehttps://evil.example/\u202c", "\u2066<b>\u2069", "{{constructor.constructor('window.hacked=1')()}}", "${window.hacked=1}",
    "<a href=\"javascript:hacked=1\">tap here</a>", "<form action=//evil.example><input name=code><button>Go</button></form>", "<base href=//evil.example/>", "<meta http-equiv=refresh content=\"0;url=//evil.example\">", "<style>*{display:none}</style>",
    "<!--<img src=\"--><img src=x onerror=window.hacked=1//\">", "<![CDATA[<img src=x onerror=window.hacked=1>]]>", "&lt;img src=x onerror=window.hacked=1&gt;", "%3Cscript%3Ewindow.hacked=1%3C/script%3E", "a\ufeff<script>window.hacked=1</script>",
    "<x contenteditable onfocus=window.hacked=1 autofocus>", "<math><mtext></table><img src=x onerror=window.hacked=1>", "' OR 1=1; DROP TABLE interaction; --", "=cmd|'/c calc'!A1", "__proto__[hacked]=1",
  ];
}
