// Drafts: what was typed and not yet published, kept on this device for each user and
// file, so that neither a reload nor a crash loses it.

export interface Draft {
  text: string;
  base: string; // hash of the file it began from
  baseText: string; // the file it began from; "" = too large to keep twice
  at: string; // when it was last typed in, RFC 3339
}

function key(user: string, file: string): string {
  return `tandem.draft.${user}.${file}`;
}

export function keptDraft(user: string, file: string): Draft | null {
  try {
    const kept = localStorage.getItem(key(user, file));
    if (kept === null) return null;
    const draft = JSON.parse(kept) as Partial<Draft>;
    if (typeof draft.text !== "string" || typeof draft.base !== "string") return null;
    return { text: draft.text, base: draft.base, baseText: draft.baseText ?? "", at: draft.at ?? "" };
  } catch {
    return null;
  }
}

// keepDraft reports whether it could be kept.
export function keepDraft(user: string, file: string, draft: Draft): boolean {
  for (const d of [draft, { ...draft, baseText: "" }]) {
    try {
      localStorage.setItem(key(user, file), JSON.stringify(d));
      return true;
    } catch {
      // Full, or refused: without the second copy it may fit.
    }
  }
  return false;
}

export function dropDraft(user: string, file: string): void {
  try {
    localStorage.removeItem(key(user, file));
  } catch {
    // What cannot be written cannot be there.
  }
}

// draftFiles are the files with a draft of this user.
export function draftFiles(user: string): Set<string> {
  const prefix = key(user, "");
  const files = new Set<string>();
  try {
    for (let i = 0; i < localStorage.length; i++) {
      const name = localStorage.key(i);
      if (name?.startsWith(prefix)) files.add(name.slice(prefix.length));
    }
  } catch {
    // None that could be read.
  }
  return files;
}
