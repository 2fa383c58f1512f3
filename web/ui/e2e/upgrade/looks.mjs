// Screenshots of every state of an upgrade and a check.
import assert from "node:assert/strict";
import { noSeriousProblems } from "../axe.mjs";
import { asks, at, checkOf, mei, tried, wu } from "./told.mjs";

const seenIn = [[390, 844, "en-GB", "light"], [390, 844, "zh-CN", "dark"], [1280, 800, "en-GB", "dark"], [1280, 800, "zh-CN", "light"], [320, 568, "en-GB", "light"], [844, 390, "zh-CN", "light"]];
const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";

// looks takes the screenshots, and has axe look at each of them.
export async function looks({ check, shot, withPage, begin, ask, toPreview, toTalk, button }) {
  for (const [width, height, locale, colorScheme] of seenIn) {
    const zh = locale === "zh-CN";
    const mobile = width < 500;
    const context = { locale, colorScheme, viewport: { width, height }, ...(mobile ? { agent: phone } : {}) };
    const take = async (page, what) => {
      const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      await page.waitForTimeout(150);
      await shot(page, `${what}-${width}-${colorScheme}-${locale.slice(0, 2)}`, { fullPage: false });
      assert.ok(wide <= view, `${what}: ${wide} px wide in a view of ${view}`);
      await noSeriousProblems(page);
    };
    const l = (en, cn) => (zh ? cn : en);
    await check(`looks: ${width} × ${height} px, ${locale}, ${colorScheme}: questions and ends`, () =>
      withPage(context, async (page, w) => {
        await begin(page, w, zh);
        w.tell({ may: ["voice", "video"] });
        await button(page, l("Speak with us by voice or video", "与我们语音或视频通话")).click();
        await take(page, "wish");
        await button(page, l("Video", "视频")).click();
        await page.getByText(l("We have asked our staff.", "已通知客服")).waitFor();
        await take(page, "waiting");
        w.change({ state: "refused" });
        await page.getByText(l("Staff cannot speak", "客服暂时无法")).waitFor();
        await take(page, "ended");
        w.tell({ upgrade: asks(zh, { id: "u2" }) });
        await page.getByRole("heading", { name: "Mei Lin" }).waitFor();
        await take(page, "asked");
        w.tell({ upgrade: { ...asks(zh, { id: "u3" }), state: "up", agreed: "video", now: "video", until: undefined }, page: "other" });
        await page.getByText(l("You are connected on another", "您正在另一台")).waitFor();
        await take(page, "elsewhere");
        w.server.stand(w.talk, { state: "waiting", position: 2, at_least: 120, at_most: 240 });
        w.tell({ upgrade: null, check: checkOf({ state: "asked", agreed: false, waits: "officer" }) });
        await page.getByText(l("We have asked for a colleague", "正在为您安排")).waitFor();
        await take(page, "check-awaited");
        w.tell({ check: checkOf({ state: "asked", agreed: false }) });
        await button(page, l("I agree", "我同意")).waitFor();
        await take(page, "check-consent");
      }), 120_000);
    await check(`looks: ${width} × ${height} px, ${locale}, ${colorScheme}: trouble`, () =>
      withPage({ ...context, init: () => (window.refuse = "NotAllowedError") }, async (page, w) => {
        await ask(page, w, {}, zh);
        await button(page, l("Video", "视频")).click();
        await button(page, l("Try again", "重试")).waitFor();
        await take(page, "denied");
        await page.evaluate(() => (window.refuse = "NotFoundError"));
        await button(page, l("Try again", "重试")).click();
        await page.getByText(l("No camera was found.", "没有找到摄像头")).waitFor();
        await take(page, "no-camera");
      }), 120_000);
    await check(`looks: ${width} × ${height} px, ${locale}, ${colorScheme}: talk and check`, () =>
      withPage(context, async (page, w) => {
        await toPreview(page, w, {}, zh);
        await take(page, "preview");
        await button(page, l("Start", "开始")).click();
        await page.getByText(l("Connecting", "正在连接")).first().waitFor({ timeout: 1_000 }).catch(() => {});
        w.change({ state: "up", now: "video" });
        const agent = page.locator('tandem-chat video[aria-label*="Mei"]');
        await agent.waitFor();
        await page.waitForFunction(() => [...document.querySelector("tandem-chat").shadowRoot.querySelectorAll("video")].every((v) => v.videoWidth > 0));
        await page.waitForTimeout(1_200);
        await take(page, "video");
        if (width < 600) {
          await button(page, l("Show the picture large", "放大画面")).click();
          await take(page, "video-large");
          await button(page, l("Show the picture small", "缩小画面")).click();
        }
        w.show = [{ id: "L1:camera", as: 0 }, { id: "L2:camera", as: 1 }];
        w.change({ who: [mei, wu] });
        w.server.signal(w.talk, "screen", { kind: "restart", why: "new" });
        await page.locator('tandem-chat video[aria-label*="Wu"]').waitFor();
        await page.waitForTimeout(1_500);
        await take(page, "video-three");
        w.show = [{ id: "L1:camera", as: 0 }, { id: "L2:camera", as: 1 }, { id: "L1:display", as: "display" }];
        w.server.signal(w.talk, "screen", { kind: "restart", why: "new" });
        await page.locator("tandem-chat .face-tile.display video").waitFor();
        await page.waitForTimeout(1_500);
        await take(page, "video-display");
        w.show = [{ id: "L1:camera", as: 0 }];
        w.change({ who: [mei] });
        w.server.signal(w.talk, "screen", { kind: "restart", why: "new" });
        await page.locator("tandem-chat .face-tile.display").waitFor({ state: "detached" });
        await page.waitForTimeout(1_500);
        w.change({ now: "voice", fallen: "network" });
        await page.getByText(l("too weak for pictures", "网络较弱")).first().waitFor();
        await button(page, l("Switch the microphone off", "关闭麦克风")).click();
        await take(page, "video-fallen");
        w.change({ now: "video", fallen: undefined });
        await button(page, l("Switch the microphone on", "打开麦克风")).click();
        await button(page, l("Switch the camera off", "关闭摄像头")).click();
        await take(page, "camera-off");
        await button(page, l("Switch the camera on", "打开摄像头")).click();
        w.tell({ check: at("code", { code: "+86 *** 0001" }) });
        await page.getByRole("textbox", { name: l("Code", "验证码") }).waitFor();
        await take(page, "check-code");
        w.tell({ check: at("front") });
        await page.locator("tandem-chat .face-guide rect").waitFor();
        await take(page, "check-front");
        await button(page, l("Stop the check", "停止核验")).click();
        await take(page, "check-stop");
        await button(page, l("Go on", "继续核验")).click();
        w.tell({ check: at("look") });
        await page.locator("tandem-chat .face-guide ellipse").waitFor();
        await take(page, "check-face");
        w.tell({ check: at("act", { request: ["read_number"], number: "4821" }) });
        await page.getByText("4 8 2 1").waitFor();
        await take(page, "check-request");
        w.tell({ check: at("front", { round: 2, again: "second_face" }) });
        await take(page, "check-again");
        w.tell({ check: at("act", { state: "broken" }) });
        await take(page, "check-broken");
        w.tell({ check: { ...at("match"), state: "passed", until: "2026-11-23T01:30:00Z" } });
        await page.getByText(l("The check is passed", "核验通过")).waitFor();
        await take(page, "check-passed");
        w.tell({ check: null });
        await button(page, l("OK", "知道了")).click();
        await button(page, l("Go on by voice only", "改为仅语音")).click();
        await page.getByText(l("You are speaking with", "您正在与")).waitFor();
        await take(page, "voice");
      }), 240_000);
    if (width !== 320 && width !== 844) {
      await check(`looks: ${width} × ${height} px, ${locale}, ${colorScheme}: the page /check`, () =>
        withPage({ ...context, path: "/check" }, async (page, w) => {
          w.world.control.tried = tried(w);
          await button(page, l("Begin the test", "开始测试")).waitFor();
          await take(page, "test-begin");
          await button(page, l("Begin the test", "开始测试")).click();
          await page.getByText(l("Voice and video will work here.", "这里可以使用语音和视频。")).waitFor();
          await take(page, "test-good");
          await page.evaluate(() => (window.refuse = "NotAllowedError"));
          await button(page, l("Stop the test", "停止测试")).click();
          await button(page, l("Test once more", "再测一次")).click();
          await button(page, l("Try again", "重试")).waitFor();
          await take(page, "test-denied");
        }), 60_000);
    }
  }
}
