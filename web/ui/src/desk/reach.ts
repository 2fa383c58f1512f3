// Whether and where a customer can be reached. Pure.
import type { CustomerView } from "./answers.ts";

// isAddress tells a number that people know from what only machines do, as of a chat.
export const isAddress = (from: string): boolean => from !== "" && !from.includes(":");

// reachable tells whether a number is known by which a customer can be called.
export function reachable(view: CustomerView | null | undefined): boolean {
  const from = view?.interaction.from ?? "";
  return (isAddress(from) && /[0-9]{3}/.test(from)) || (view?.bindings.some((b) => b.kind === "phone") ?? false);
}
