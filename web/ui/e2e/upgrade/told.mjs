// What the played server tells of upgrades and checks.
export const mei = { name: "Mei Lin", role: "agent", leg: "L1" };
export const wu = { name: "Dr Wu", role: "specialist", leg: "L2" };
export const asks = (zh, more = {}) => ({
  id: "u1", state: "asked", by: "agent", name: "Mei Lin", level: "video", agreed: "", now: "",
  why: zh ? "跨境汇款前核对您本人" : "to see that it is you before the transfer abroad", kept: true, who: [mei], until: "2099-01-01T00:00:00Z",
  text: { en: "Mei Lin would like to see and hear you. Picture and sound are recorded and kept for 90 days. You may stop at any time.", "zh-CN": "Mei Lin 希望看到并听到您。画面和声音会被录制，保存 90 天。您可以随时停止。" }, ...more,
});
export const checkOf = (more = {}) => ({
  id: "k1", policy: "face", state: "running", round: 1, agreed: true,
  consent: { version: "2026-11", text: { en: "We check your identity by video: your document and your face are compared by our staff, and pictures of them are kept for 30 days.", "zh-CN": "我们将通过视频核验您的身份：由工作人员比对您的证件和面部，照片保存 30 天。" } },
  steps: [
    { name: "code", kind: "code", state: "" }, { name: "front", kind: "document", state: "" }, { name: "back", kind: "document", state: "" },
    { name: "look", kind: "face", state: "" }, { name: "act", kind: "request", state: "" }, { name: "match", kind: "compare", state: "" },
  ],
  ...more,
});
// at is the check with one of its steps present, those before it done.
export const at = (name, more = {}) => {
  const c = checkOf(more);
  const i = c.steps.findIndex((s) => s.name === name);
  return { ...c, present: name, steps: c.steps.map((s, n) => ({ ...s, state: n < i ? "done" : n === i ? "present" : "" })) };
};

// tried plays the socket of the page /check: its own picture comes back.
export function tried(w) {
  return (send) => ({
    end() {},
    async take(f) {
      if (f.t === "hello") return send({ t: "welcome", servers: [], seconds: 20 });
      if (f.signal?.kind !== "offer") return;
      const answered = await w.far.answer(`check ${f.t}`, f.signal.sdp, [{ id: "loop:camera" }]).catch(() => null); // the test is over
      if (!answered) return;
      const { sdp, slots } = answered;
      send({ t: f.t, signal: { kind: "answer", sdp } });
      if (f.t === "screen") send({ t: "screen", signal: { kind: "slots", slots } });
    },
  });
}

// jpegSize reads width and height from a JPEG's frame header (ITU-T T.81, B.2.2).
export function jpegSize(b) {
  for (let i = 2; i < b.length; i += 2 + b.readUInt16BE(i + 2)) {
    if (b[i + 1] >= 0xc0 && b[i + 1] <= 0xc2) return [b.readUInt16BE(i + 7), b.readUInt16BE(i + 5)];
  }
  return null;
}
