// A model of faces that runs in this page alone: how many faces a picture has, and how far
// apart two of them are. Its program and its weights, some 7 MB, come from our own door when
// an officer asks for them; nothing leaves the page.
import type { NeuralNetwork } from "@vladmandic/face-api";

const folder = "/staff-face/";
const nets = { detector: "tiny_face_detector_model", landmarks: "face_landmark_68_model", recognition: "face_recognition_model" } as const;
const sized = 416; // pixels that the detector works on; more finds smaller faces, as that on a document
const surest = 0.35; // that it is a face, of 1; fewer would be found if it were more
const widest = 1280; // pixels of a picture that are looked at

export const modelName = "face-api 1.7.15"; // is noted with each likeness

// Looked is what was found in a picture; print stands for the largest face.
export interface Looked {
  faces: number;
  print: Float32Array | null;
}

export interface Model {
  look(picture: HTMLImageElement | HTMLVideoElement | HTMLCanvasElement): Promise<Looked>;
}

let loading: Promise<Model> | null = null;

// loadModel loads it once; part grows to 1. What failed is tried anew at the next time.
export function loadModel(onPart: (part: number) => void): Promise<Model> {
  loading ??= load(onPart).catch((err: unknown) => {
    loading = null;
    throw err;
  });
  return loading.then((model) => (onPart(1), model));
}

async function load(onPart: (part: number) => void): Promise<Model> {
  const api = await import("@vladmandic/face-api");
  const { tf } = api as unknown as { tf: Tensors };
  for (const backend of ["webgl", "cpu"]) if (await tf.setBackend(backend).catch(() => false)) break;
  await tf.ready();
  const own = { detector: new api.TinyFaceDetector(), landmarks: new api.FaceLandmark68Net(), recognition: new api.FaceRecognitionNet() };
  const names = Object.keys(nets) as (keyof typeof nets)[];
  const done: number[] = [];
  const sizes: number[] = [];
  const bytes = await Promise.all(
    names.map((name, n) =>
      fetched(`${folder}${nets[name]}.bin`, (got, all) => {
        [done[n], sizes[n]] = [got, all];
        onPart(0.95 * (done.reduce((a, b) => a + (b ?? 0), 0) / Math.max(1, sizes.reduce((a, b) => a + (b ?? 0), 0))));
      }),
    ),
  );
  for (const [n, name] of names.entries()) {
    const manifest = (await (await answered(`${folder}${nets[name]}-weights_manifest.json`)).json()) as { weights: object[] }[];
    const weights = tf.io.decodeWeights(bytes[n]!, manifest.flatMap((m) => m.weights));
    (own[name] as NeuralNetwork<unknown>).loadFromWeightMap(weights as never);
  }
  return {
    async look(picture) {
      const small = shrunk(picture);
      const found = await own.detector.locateFaces(small, new api.TinyFaceDetectorOptions({ inputSize: sized, scoreThreshold: surest }));
      const largest = [...found].sort((a, b) => b.box.area - a.box.area)[0];
      if (!largest) return { faces: 0, print: null };
      const [face] = await api.extractFaces(small, [largest]);
      const marks = await own.landmarks.detectLandmarks(face!);
      const at = (Array.isArray(marks) ? marks[0]! : marks).shiftBy(largest.box.x, largest.box.y);
      const [upright] = await api.extractFaces(small, [at.align()]);
      const print = await own.recognition.computeFaceDescriptor(upright!);
      return { faces: found.length, print: Array.isArray(print) ? print[0]! : print };
    },
  };
}

// Tensors is what is used of the library below the model.
interface Tensors {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  io: { decodeWeights(bytes: ArrayBuffer, weights: object[]): unknown };
}

async function answered(path: string): Promise<Response> {
  const response = await fetch(path, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}`);
  return response;
}

// fetched reads a file and tells how much of it is there.
async function fetched(path: string, onGot: (got: number, all: number) => void): Promise<ArrayBuffer> {
  const response = await answered(path);
  const all = Number(response.headers.get("content-length") ?? 0);
  if (!response.body || all === 0) return response.arrayBuffer();
  const parts: Uint8Array[] = [];
  let got = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    onGot((got += value.length), Math.max(all, got));
  }
  const whole = new Uint8Array(got);
  let at = 0;
  for (const p of parts) {
    whole.set(p, at);
    at += p.length;
  }
  return whole.buffer;
}

// shrunk is a picture as the model looks at it.
function shrunk(picture: HTMLImageElement | HTMLVideoElement | HTMLCanvasElement): HTMLCanvasElement {
  const [width, height] = picture instanceof HTMLVideoElement ? [picture.videoWidth, picture.videoHeight] : picture instanceof HTMLImageElement ? [picture.naturalWidth, picture.naturalHeight] : [picture.width, picture.height];
  if (width === 0 || height === 0) throw new Error("there is no picture yet");
  const by = Math.min(1, widest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * by);
  canvas.height = Math.round(height * by);
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}
