// The sound of an alert: two short tones, made here, so that nothing has to be fetched.

let context: AudioContext | null = null;

// ready makes sounds possible; browsers let a page do so from a key or a click on only.
export function ready(): boolean {
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume();
  return context.state === "running";
}

export function play(critical: boolean): void {
  if (!context || context.state !== "running") return;
  const begin = context.currentTime;
  const tones = critical ? [880, 660, 880, 660] : [660, 880];
  tones.forEach((hz, i) => {
    const tone = context!.createOscillator();
    const gain = context!.createGain();
    const at = begin + i * 0.22;
    tone.frequency.value = hz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.18, at + 0.02);
    gain.gain.linearRampToValueAtTime(0, at + 0.18);
    tone.connect(gain).connect(context!.destination);
    tone.start(at);
    tone.stop(at + 0.2);
  });
}
