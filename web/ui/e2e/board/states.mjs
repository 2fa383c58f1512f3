// The states of the board's page, each with the world it is of and what is pressed to get there.
import { World } from "./world.mjs";

const key = (page, k) => page.keyboard.press(k);
const hash = (page, h) => page.evaluate((to) => (location.hash = to), h);
const iso = (ms) => new Date(Date.now() - ms).toISOString();

export const states = {
  queues: { make: () => new World() },
  empty: { make: () => new World({ empty: true }) },
  connecting: { make: () => new World(), silent: true },
  lost: {
    make: () => new World(),
    async after(server, page) {
      server.deaf = true;
      server.cut();
      await page.locator(".lost").waitFor({ timeout: 10_000 });
    },
  },
  auditor: { make: () => new World(), roles: ["auditor"], after: (_, page) => openFirst(page) },
  closed: { make: () => new World(), roles: ["designer"], ready: "h1" },
  waiting: {
    make: () => new World(),
    async after(_, page) {
      await key(page, "w");
      await page.locator(".contact").first().waitFor();
    },
  },
  left: {
    make: () => new World(),
    async after(_, page) {
      await page.locator(".tile.warn, .tile").filter({ hasText: /Left|流失/ }).first().click();
      await page.locator(".contact").first().waitFor();
    },
  },
  story: { make: () => new World(), after: (_, page) => openFirst(page) },
  move: {
    make: () => new World(),
    async after(_, page) {
      await openFirst(page);
      await page.locator(".task-actions button").first().click();
      await page.locator("dialog[open]").waitFor();
      await page.locator("dialog button.main").click(); // without a reason
    },
  },
  listening: {
    make: () => served(new World()),
    async after(_, page) {
      await key(page, "2");
      await page.goto(page.url().replace(/#.*/, "#/queues"));
      await page.locator(".queues .figure").nth(1).click();
      await page.locator(".contact").first().click();
      await page.locator(".task-actions button").first().click();
      await page.locator("dialog textarea").fill("quality");
      await page.locator("dialog button.main").click();
      await page.locator(".listening").waitFor();
    },
  },
  agents: { make: () => new World({ agents: 1000 }), after: (_, page) => hash(page, "#/agents"), ready: ".agent-row" },
  agent: {
    make: () => new World({ agents: 60 }),
    async after(_, page) {
      await hash(page, "#/agents?state=busy");
      await page.locator(".agent-row").first().click();
      await page.locator("dialog[open]").waitFor();
    },
  },
  plots: {
    make: () => new World(),
    async after(_, page) {
      await hash(page, "#/today");
      await page.locator(".u-over").nth(2).waitFor();
    },
  },
  table: {
    make: () => new World(),
    async after(_, page) {
      await hash(page, "#/today");
      await page.locator(".plots-head button").click();
      await page.locator(".plots-table").waitFor();
    },
  },
  flows: {
    make: () => new World(),
    async after(_, page) {
      await hash(page, "#/flows?flow=hotline");
      await page.locator(".who-here").first().waitFor({ state: "attached" });
    },
  },
  step: {
    make: () => new World(),
    async after(_, page) {
      await hash(page, "#/flows?flow=hotline");
      await page.locator(".flow-steps button").first().click();
      await page.locator(".contact").first().waitFor();
    },
  },
  path: {
    make: () => new World(),
    async after(_, page) {
      await hash(page, "#/flows?flow=hotline&interaction=55555555555555555555555550&number=08798529501");
      await page.locator(".mode-chip").waitFor();
    },
  },
  alerts: {
    make() {
      const w = ruled(new World());
      w.alert("Cards wait too long");
      w.alert("Few are free", { metric: "free", bound: 3, value: 1, queue: "", severity: "warning", seen: iso(20_000), seen_by: "sue" });
      return w;
    },
    after: (_, page) => hash(page, "#/alerts"),
    ready: ".rules",
  },
  norules: { make: () => new World(), after: (_, page) => hash(page, "#/alerts"), ready: ".alerts" },
  rule: {
    make: () => ruled(new World()),
    async after(_, page) {
      await hash(page, "#/alerts");
      await page.locator(".alerts-head button").click();
      await page.locator("dialog[open]").waitFor();
    },
  },
  keys: {
    make: () => new World(),
    async after(_, page) {
      await key(page, "?");
      await page.locator("dialog[open]").waitFor();
    },
  },
  wall: {
    make() {
      const w = new World();
      w.alert("Cards wait too long");
      return w;
    },
    widths: ["1280", "1920", "2560"],
    async after(_, page) {
      await key(page, "f");
      await page.locator(".wall .u-over").nth(2).waitFor();
    },
  },
};

async function openFirst(page) {
  await page.keyboard.press("w");
  await page.locator(".contact").first().click();
  await page.locator(".story").waitFor();
}

function served(w) {
  for (const t of w.tasks.slice(0, 5)) Object.assign(t, { state: "assigned", agent: "anna", kind: "chat", queue: [...w.names].sort()[0] });
  return w;
}

function ruled(w) {
  const rule = (n, more) => ({ id: String(n).padStart(26, "8"), name: "Cards wait too long", queue: "cards", kind: "", metric: "longest", bound: 300, clear: 240, hold: 10, severity: "critical", sound: true, active: true, firing: false, value: 125, ...more });
  w.rules = [rule(1, { firing: true, value: 412 }), rule(2, { name: "Few are free", queue: "", metric: "free", bound: 3, clear: 4, severity: "warning", value: 1, firing: true }), rule(3, { name: "Chats of private banking are answered late and nobody seems to mind", queue: "private-banking", kind: "chat", metric: "level", bound: 0.8, clear: 0.85, severity: "warning", sound: false, active: false, value: undefined })];
  w.past = [{ ...w.rules[0], id: "7".repeat(26), rule: w.rules[0].id, fired: iso(7_200_000), resolved: iso(6_900_000), why: "over", value: 320, seen: iso(7_100_000), seen_by: "sue" }];
  return w;
}
