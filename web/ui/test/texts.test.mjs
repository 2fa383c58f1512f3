import assert from "node:assert/strict";
import { test } from "node:test";
import { dots, pieces } from "../src/widget/texts.ts";
import { languageOf, words } from "../src/widget/words.ts";

const links = (text) => pieces(text).filter((p) => p.href !== undefined).map((p) => p.href);

test("addresses in texts", () => {
  for (const [text, want] of [
    ["see https://bank.example/a?b=c#d now", ["https://bank.example/a?b=c#d"]],
    ["https://bank.example/a.", ["https://bank.example/a"]],
    ["(https://bank.example/a)", ["https://bank.example/a"]],
    ["https://bank.example/a_(b)", ["https://bank.example/a_(b)"]],
    ["请打开https://bank.example/甲，谢谢。", ["https://bank.example/%E7%94%B2"]],
    ["打开（https://bank.example/a）。", ["https://bank.example/a"]],
    ["https://a.example https://b.example", ["https://a.example/", "https://b.example/"]],
    ["http://bank.example", []],
    ["javascript:alert(1) data:text/html,x ftp://x https:", []],
    ["https://bank.example@evil.example/", []],
    ["https://user:pw@evil.example/", []],
    ["https://evil.example/\u202egpj.exe", ["https://evil.example/"]],
    ['https://a.example/"onclick="x', ["https://a.example/"]],
    ["https://a.example/<script>", ["https://a.example/"]],
    ["https://" + "a".repeat(3000) + ".example", []],
    ["https://[", []],
    ["https://x" + ")".repeat(60_000), []],
    ["", []],
  ]) {
    assert.deepEqual(links(text), want, text.slice(0, 80));
  }
});

test("addresses of one's own origin count without https", () => {
  const own = "http://127.0.0.1:8080";
  for (const [text, want] of [
    ["http://127.0.0.1:8080/l/abc.", ["http://127.0.0.1:8080/l/abc"]],
    ["http://127.0.0.1:8081/l/abc http://127.0.0.1/ http://x@127.0.0.1:8080/", []],
    ["https://bank.example", ["https://bank.example/"]],
  ]) {
    assert.deepEqual(pieces(text, own).filter((p) => p.href !== undefined).map((p) => p.href), want);
  }
});

test("no text is lost or made up, whatever is in it", () => {
  let seed = 7;
  const next = (n) => (seed = (seed * 48271) % 2147483647) % n;
  const bits = ["https://", "a.example", "/", " ", ".", ")", "(", "，", "\u202e", "<img src=x onerror=1>", "\u0000", "@", "%", "\n", "中", "?a=b", "😀"];
  for (let i = 0; i < 5_000; i++) {
    const text = Array.from({ length: next(20) }, () => bits[next(bits.length)]).join("");
    const found = pieces(text);
    assert.equal(found.map((p) => p.text).join(""), text);
    for (const p of found) if (p.href !== undefined) assert.match(p.href, /^https:\/\/[^@/\s<>"]+\/[^\s<>"]*$/);
  }
});

test("a secret is one dot for each character", () => {
  assert.equal(dots("12😀"), "•••");
});

test("each language has every sentence", () => {
  const shape = (w) => Object.entries(w).map(([k, v]) => (typeof v === "object" ? [k, Object.keys(v)] : [k, typeof v]));
  assert.deepEqual(shape(words["zh-CN"]), shape(words.en));
  assert.equal(languageOf([null, "", "fr", "zh-TW"]), "zh-CN");
  assert.equal(languageOf(["en-GB", "zh"]), "en");
  assert.equal(languageOf([]), "en");
});
