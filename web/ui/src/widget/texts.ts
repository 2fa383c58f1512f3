// What a message's text is made of. Texts are data: nothing in them is ever markup.

export interface Piece {
  text: string;
  href?: string; // an address that may be opened
}

const address = /https?:\/\/[^\s<>"'`\u0000-\u0020\u007f-\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+/g;
const longest = 2_000; // characters of an address; no person sends a longer one

// pieces splits a text at the addresses in it. Only https ones without a user's name in
// them count, since what stands before an @ is used to look like somebody else; and those
// of the origin own, for a server that is tried out on the spot.
export function pieces(text: string, own?: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(address)) {
    if (match[0].length > longest) continue;
    const written = trimmed(match[0]);
    const href = opened(written, own);
    if (href === null) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    found.push({ text: written, href });
    from = match.index + written.length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

// trimmed leaves out what ends the sentence rather than the address.
function trimmed(url: string): string {
  let end = url.replace(/[.,;:!?…*_~]+$/, "");
  while (end.endsWith(")") && (end.match(/\)/g)?.length ?? 0) > (end.match(/\(/g)?.length ?? 0)) end = end.slice(0, -1).replace(/[.,;:!?]+$/, "");
  return end;
}

function opened(written: string, own?: string): string | null {
  try {
    const u = new URL(written);
    return (u.protocol === "https:" || u.origin === own) && u.username === "" && u.password === "" && u.hostname !== "" ? u.href : null;
  } catch {
    return null;
  }
}

// dots stands for a secret of that length.
export function dots(secret: string): string {
  return "•".repeat([...secret].length);
}
