// What a customer sees while they wait, kept as pictures for people to look at.
import assert from "node:assert/strict";
import { noSeriousProblems } from "../axe.mjs";

const sizes = { 320: 568, 390: 844, 1280: 800 };

// bars takes the chat's bar, in all widths, light and dark, and looks it over.
export async function bars(page, { shot }, lang) {
  const before = page.viewportSize();
  for (const [width, height] of Object.entries(sizes)) {
    await page.setViewportSize({ width: Number(width), height });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await shot(page, `bar-${width}-${lang}-${colorScheme}`);
      await fits(page);
      if (width !== "390") await noSeriousProblems(page);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(before);
}

// fits fails if a page is wider than its view.
export async function fits(page) {
  const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= view, `${wide} px wide in a view of ${view}`);
}
