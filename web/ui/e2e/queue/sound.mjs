// What a telephone has heard, measured: tones, the music on hold, a recording.
import { ulaw } from "../baresip.mjs";
import { until } from "../text/world.mjs";

const rate = 8000; // samples in a second
const long = rate / 2; // samples that are looked at together
const short = rate / 10;
const pure = 0.7; // the share of a window's energy from which it is those notes
const quiet = 200; // the level below which there is nothing

// Notes of the music that the server plays, in half tones from A3: four chords, a bass and
// a figure each.
const music = [-16, -14, -12, -9, -4, -2, 0, 2, 3, 5, 7, 8, 10, 12, 14, 15].map((half) => 220 * 2 ** (half / 12));

// level is how loud samples are, root mean square, of 32767.
export const level = (samples) => Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / Math.max(1, samples.length));

// share is how much of the samples' energy is in notes, 0 to 1.
export function share(samples, notes) {
  const all = samples.reduce((sum, s) => sum + s * s, 0);
  let some = 0;
  for (const hz of notes) {
    const k = 2 * Math.cos((2 * Math.PI * hz) / rate); // Goertzel
    let [one, two] = [0, 0];
    for (const s of samples) [one, two] = [s + k * one - two, one];
    some += (2 * (one * one + two * two - k * one * two)) / samples.length;
  }
  return all === 0 ? 0 : Math.min(1, some / all);
}

// lasts gives for how many seconds of the sound, from a sample on, notes were all there was.
function lasts(samples, notes, from = 0, window = long) {
  let n = 0;
  for (let at = from; at + window <= samples.length; at += window) {
    const piece = samples.subarray(at, at + window);
    if (level(piece) > quiet && share(piece, notes) > pure) n++;
  }
  return (n * window) / rate;
}

// musicHeard and toneHeard are seconds of it.
export const musicHeard = (samples, from) => lasts(samples, music, from);
export const toneHeard = (samples, hz, from) => lasts(samples, [hz], from);
export const beepHeard = (samples, hz, from) => lasts(samples, [hz], from, short);

// decoded is the sound of a WAV file: one channel of 8 kHz, 16 bit or mu-law.
export function decoded(file) {
  const [format, channels, hz] = [file.readUInt16LE(20), file.readUInt16LE(22), file.readUInt32LE(24)];
  if (channels !== 1 || hz !== rate) throw new Error(`${channels} channels of ${hz} Hz`);
  const begin = file.indexOf("data") + 8;
  const data = file.subarray(begin);
  if (format === 7) return Int16Array.from(data, ulaw);
  if (format === 6) return Int16Array.from(data, alaw);
  return Int16Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(2 * i));
}

function alaw(byte) {
  const b = byte ^ 0x55;
  const exponent = (b & 0x70) >> 4;
  let value = ((b & 0x0f) << 4) + 8;
  if (exponent > 0) value = (value + 0x100) << (exponent - 1);
  return b & 0x80 ? value : -value;
}

// menu waits until a call is greeted: from then on keys are heard.
export const menu = (phone) => until("the greeting", async () => level(await phone.audio()) > quiet, 20_000);
