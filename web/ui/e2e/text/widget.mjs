// The widget as a person uses it, on the real server: lost networks, reloads, a server
// that dies, pictures, a call back, the keyboard, other people's pages.
import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { chat, is, until } from "./world.mjs";

const lost = /WebSocket|ERR_|Failed to load/; // what a browser says of a lost network

export async function widget(w, { check, again }, world) {
  // wrote is what a customer wrote by the journal, in its order.
  const wrote = (story) => story.events.filter(is("message.added", { from: "customer" })).map((e) => e.data.text);

  await check("a reload in mid-talk keeps all, and a network that was lost, too: in order, nothing doubled", () =>
    w.visit({ expect: lost }, async (page, context) => {
      const c = chat(page);
      const since = new Date();
      await c.open();
      await c.reads("What can we do for you?");
      await c.say("one");
      await c.reads("Sorry, I did not get that");
      const before = await c.all();
      await page.reload();
      await c.open();
      await c.log.getByText("one", { exact: true }).waitFor();
      assert.deepEqual(await c.all(), before);
      await context.setOffline(true);
      for (const text of ["two", "three", "four"]) await c.say(text);
      await page.getByText("No connection.").waitFor();
      assert.equal(await page.getByText("Waiting to be sent").count(), 3);
      await context.setOffline(false);
      const story = await w.told((await w.begun("chat:demo", since)).id, "all has arrived", (s) => wrote(s).length >= 4);
      assert.deepEqual(wrote(story), ["one", "two", "three", "four"]);
      await until("nothing waits", async () => (await page.getByText("Waiting to be sent").count()) === 0);
      assert.deepEqual(await c.own(), ["one", "two", "three", "four"]);
    }));

  await check("the server is killed in mid-talk and started again: in order, nothing lost or doubled", async () => {
    let server = await again();
    const dir = dirname(server.config);
    try {
      const mine = await world(server);
      await mine.visit({ expect: lost }, async (page) => {
        const c = chat(page);
        const since = new Date();
        await c.open();
        await c.reads("What can we do for you?");
        const texts = Array.from({ length: 9 }, (_, i) => `message ${i + 1}`);
        for (const text of texts.slice(0, 3)) await c.say(text);
        await server.kill(); // some of them are on their way
        for (const text of texts.slice(3, 6)) await c.say(text);
        server = await again(dir);
        for (const text of texts.slice(6)) await c.say(text);
        const { id } = await mine.begun("chat:demo", since);
        const story = await mine.told(id, "all has arrived", (s) => wrote(s).length >= 9, 30_000);
        assert.deepEqual(wrote(story), texts);
        await until("nothing waits", async () => (await page.getByText("Waiting to be sent").count()) === 0);
        assert.deepEqual(await c.own(), texts);
        const shown = await c.all();
        await page.reload();
        await c.open();
        await c.log.getByText("message 9", { exact: true }).waitFor();
        assert.deepEqual(await c.all(), shown);
      });
      await mine.verify();
    } finally {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    }
  });

  await check("a picture is shown to both sides, and after a reload; the talk can be downloaded", () =>
    w.visit({}, async (page) => {
      const c = chat(page);
      const since = new Date();
      await c.open();
      await c.reads("What can we do for you?");
      const png = await drawn(page);
      await page.locator("tandem-chat input[type=file]").setInputFiles({ name: "letter.png", mimeType: "image/png", buffer: png });
      await page.getByRole("button", { name: "Remove the picture: letter.png" }).waitFor();
      await page.locator("tandem-chat").getByRole("button", { name: "Send", exact: true }).click();
      const shown = page.getByRole("button", { name: "Picture. Show the picture large" });
      await shown.waitFor();
      const story = await w.told((await w.begun("chat:demo", since)).id, "the picture", (s) => s.events.some((e) => e.data?.attachment));
      const { attachment } = story.events.find((e) => e.data?.attachment).data;
      assert.deepEqual([attachment.width, attachment.height, attachment.media_type.split("/")[0]], [320, 200, "image"]);
      await page.reload();
      await c.open();
      await shown.waitFor();
      await page.getByRole("button", { name: "More" }).click();
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download this talk" }).click()]);
      const talk = await readFile(await file.path(), "utf8");
      assert.match(talk, /What can we do for you\?/);
      assert.match(talk, /Picture/);
    }));

  await check("call me back: a code by text, and the call is booked", () =>
    w.visit({ expect: /status of 422/ }, async (page) => {
      const c = chat(page);
      const since = new Date();
      await c.open();
      await page.getByRole("button", { name: "Call me back" }).first().click();
      await page.getByRole("textbox", { name: "Your telephone number" }).fill("+86 138 0000 0021");
      await page.getByRole("button", { name: "Text me the code" }).click();
      const field = page.getByRole("textbox", { name: "Code" });
      await field.waitFor();
      const code = await w.code("+8613800000021", since);
      await field.fill(code === "000000" ? "111111" : "000000");
      await page.keyboard.press("Enter");
      await page.getByText("The code is not right").waitFor();
      await field.fill(code);
      await page.keyboard.press("Enter");
      await page.getByText("We call you on +8613800000021 as soon as possible").waitFor();
      const number = (await page.locator("tandem-chat .number").innerText()).replaceAll(/\D/g, "");
      const booked = (await w.show(number)).events.find(is("callback.booked")).data;
      assert.deepEqual([booked.to, booked.queue, booked.proven], ["+8613800000021", "service", true]);
    }));

  await check("by keyboard alone; Enter while an input method composes does not send", () =>
    w.visit({ locale: "zh-CN" }, async (page, context) => {
      const c = chat(page, true);
      const since = new Date();
      await page.getByRole("button", { name: "打开对话" }).waitFor();
      await page.locator("tandem-chat").evaluate((e) => e.shadowRoot.querySelector("button").focus());
      await page.keyboard.press("Enter");
      await c.reads("请问您需要什么服务");
      await page.keyboard.type("nihao");
      await page.keyboard.press("ControlOrMeta+a");
      await page.keyboard.press("Delete");
      const cdp = await context.newCDPSession(page);
      await cdp.send("Input.imeSetComposition", { text: "ni hao", selectionStart: 6, selectionEnd: 6 });
      await cdp.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Process", code: "Enter", windowsVirtualKeyCode: 229 });
      await page.waitForTimeout(300);
      assert.deepEqual(await c.own(), [], "nothing was sent");
      await cdp.send("Input.insertText", { text: "你好" });
      await page.keyboard.press("Enter");
      await c.log.locator("li.own").getByText("你好", { exact: true }).waitFor();
      await c.reads("没有明白");
      // Back over the choices to the second, and by Enter.
      const name = () => page.evaluate(() => document.querySelector("tandem-chat").shadowRoot.activeElement?.textContent ?? "");
      for (let i = 0; i < 12 && !(await name()).includes("预约顾问"); i++) await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Enter");
      await c.reads("可以吗");
      const { id } = await w.begun("chat:demo", since);
      const { events } = await w.told(id, "the choice", (s) => s.events.some(is("flow.outcome", { step: "main", outcome: "3" })));
      assert.ok(events.length > 0);
    }));

  for (const zh of [false, true]) {
    await check(`at 320 px, ${zh ? "Chinese" : "English"}: nothing is cut off`, () =>
      w.visit({ viewport: { width: 320, height: 568 }, locale: zh ? "zh-CN" : "en-GB", hasTouch: true }, async (page) => {
        const c = chat(page, zh);
        await c.open();
        await c.reads(zh ? "请问您需要什么服务" : "What can we do for you?");
        await c.say(zh ? "这是一句很长很长的话，看看在很窄的屏幕上会怎么样" : "averyverylongwordthatnobodywouldwritebutaddressesandnumbersarelikethat");
        await c.reads(zh ? "没有明白" : "Sorry, I did not get that");
        const wide = await page.evaluate(() => {
          const panel = document.querySelector("tandem-chat").shadowRoot.querySelector(".panel");
          return [...panel.querySelectorAll("*"), document.documentElement].filter((e) => e.getBoundingClientRect().right > 320.5 && getComputedStyle(e).position !== "absolute").map((e) => e.outerHTML.slice(0, 80));
        });
        assert.deepEqual(wide, []);
      }));
  }
}

// drawn is a picture of 320 by 200.
async function drawn(page) {
  const bytes = await page.evaluate(async () => {
    const c = new OffscreenCanvas(320, 200);
    const g = c.getContext("2d");
    for (let i = 0; i < 20; i++) {
      g.fillStyle = `hsl(${i * 18} 60% 55%)`;
      g.fillRect(i * 16, 0, 16, 200 - i * 6);
    }
    return [...new Uint8Array(await (await c.convertToBlob()).arrayBuffer())];
  });
  return Buffer.from(bytes);
}
