// The staff's pages, and which of them somebody's roles reach. The server decides for each
// request by itself; this is for finding one's way.
import type { Place } from "./bar.tsx";
import { has } from "./session.ts";
import type { Role, User } from "./session.ts";
import type { StaffWords } from "./words.ts";

export type PageName = "desk" | "board" | "studio";

const readers: Record<PageName, readonly Role[]> = {
  desk: ["agent"],
  board: ["supervisor", "auditor"],
  studio: ["designer", "supervisor", "operator", "auditor"],
};

const order: readonly PageName[] = ["desk", "board", "studio"];

export function reaches(user: User, page: PageName): boolean {
  return has(user, ...readers[page]);
}

// homeOf is where somebody lands who has logged in.
export function homeOf(user: User): string {
  if (has(user, "agent")) return "/desk";
  return has(user, "supervisor") ? "/board" : "/studio";
}

// pagesOf are the ways to the pages that somebody reaches, for the bar on top; none where
// there is but one.
export function pagesOf(user: User, current: PageName, w: StaffWords): Place[] {
  const mine = order.filter((page) => reaches(user, page));
  if (mine.length < 2 && mine[0] === current) return [];
  return mine.map((page) => ({ href: `/${page}`, label: w.pages[page], current: page === current }));
}

// thenOf is where somebody goes on who had to change their password first: a page of ours,
// by its name.
export function thenOf(search: string): string | undefined {
  const page = order.find((name) => name === new URLSearchParams(search).get("then"));
  return page && `/${page}`;
}
