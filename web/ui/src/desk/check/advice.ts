// What a likeness comes to: a word of three, with its figure. It is advice, and decides nothing.

// The words of an advice, from the distance between two faces: 0 is the same picture, and
// 0.6 is where its makers draw the line. Around the line nobody is told anything sure.
export type Likeness = "likely" | "unsure" | "unlikely";
const like = 0.5;
const unlike = 0.65;

export function likenessOf(distance: number): Likeness {
  return distance < like ? "likely" : distance > unlike ? "unlikely" : "unsure";
}

// distanceOf is how far apart two faces are.
export function distanceOf(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

// Advice is what is noted with a step.
export interface Advice {
  advice: true;
  word: Likeness | "none"; // none: no face was found
  distance?: number;
  faces: [number, number]; // on the document, before the camera
  model: string;
}
