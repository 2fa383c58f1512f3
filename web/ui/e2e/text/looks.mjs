// Every page and state a customer sees, looked over by axe, and kept as pictures for
// people to look at.
import assert from "node:assert/strict";
import { noSeriousProblems } from "../axe.mjs";
import { chat } from "./world.mjs";

export async function looks(w, { check, shot }) {
  await w.reply("+8613800000001", "你好"); // so that there is something to be seen
  for (const width of [390, 1280]) {
    for (const locale of ["en-GB", "zh-CN"]) {
      const zh = locale === "zh-CN";
      // Dark where nobody would look otherwise.
      const colorScheme = width === 390 ? "light" : zh ? "dark" : "light";
      const say = (en, cn) => (zh ? cn : en);
      const take = async (page, name) => {
        await shot(page, `${name}-${width}-${locale.slice(0, 2)}`);
        const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        assert.ok(wide <= view, `${name}: ${wide} px wide in a view of ${view}`);
        await noSeriousProblems(page);
      };
      await check(`looks: ${width} px, ${locale}, ${colorScheme}`, () =>
        w.visit({ locale, colorScheme, viewport: { width, height: width === 390 ? 844 : 800 }, expect: /status of 4(00|04|22)/ }, async (page, context) => {
          await page.getByRole("log", { name: say("Texts", "短信") }).getByText("欢迎来到海港银行服务台").first().waitFor();
          await take(page, "demo");
          const c = chat(page, zh);
          await c.open();
          await c.reads(say("What can we do for you?", "请问您需要什么服务"));
          await take(page, "menu");
          await c.tap(say("Online banking", "网上银行"));
          const opens = c.log.getByRole("button", { name: say("Open the page", "打开页面") }).last();
          await opens.waitFor();
          await take(page, "link");
          const [link] = await Promise.all([context.waitForEvent("page"), opens.click()]);
          const open = link.getByRole("button", { name: say("Open", "打开"), exact: true });
          await open.waitFor();
          await take(link, "neutral");
          await open.click();
          const confirm = link.getByRole("button", { name: say("Switch it on", "确认开通") });
          await confirm.waitFor();
          await take(link, "page");
          await link.getByLabel(say("Mail address for notices", "接收通知的邮箱")).fill("lin");
          await confirm.click();
          await link.getByRole("alert").waitFor();
          await take(link, "page-wrong");
          await link.getByLabel(say("The user name you would like", "您想用的用户名")).fill("lin");
          await link.getByLabel(say("Mail address for notices", "接收通知的邮箱")).fill("lin@example.com");
          await confirm.click();
          await link.getByText(say("Online banking is switched on", "网上银行已开通")).waitFor();
          await c.reads(say("You are all set", "网上银行已经为您开通"));
          await take(link, "page-done");
          await link.close();
          await take(page, "done");
          await c.tap(say("Online banking", "网上银行"));
          const [other] = await Promise.all([context.waitForEvent("page"), opens.click()]);
          await other.getByRole("button", { name: say("Open", "打开"), exact: true }).click();
          await other.getByRole("button", { name: say("Not now", "暂不办理") }).click();
          await other.getByRole("heading", { name: say("Not now", "暂不办理") }).waitFor();
          await take(other, "page-declined");
          await other.close();
          await c.reads(say("Then we leave it as it is", "好的，暂不办理"));
          await c.tap(say("My balance", "查询余额"));
          await c.secret.waitFor();
          await take(page, "hidden");
          await c.sayHidden("0");
          await page.getByRole("button", { name: say("Call me back", "预约回电") }).first().click();
          await page.getByRole("textbox", { name: say("Your telephone number", "您的电话号码") }).waitFor();
          await take(page, "call-back");
          await page.goto(`${w.door}/l/open`);
          await take(page, "link-lost");
          await page.goto(`${w.door}/l/${"x7".repeat(13)}`);
          await page.getByRole("button", { name: say("Open", "打开"), exact: true }).click();
          await page.getByRole("heading", { name: say("This link cannot be used", "此链接无法使用") }).waitFor();
          await take(page, "link-refused");
          await page.goto(`${w.door}/q/branch-12`);
          await c.reads(say("What can we do for you?", "请问您需要什么服务"));
          await take(page, "branch");
          await page.goto(w.gateway);
          await page.getByText("+8613800000001").first().waitFor();
          await take(page, "phones");
        }), 90_000);
    }
  }
}
