// What a mistake is: in another language than the checker's, its rule comes first.
import type { Diagnostic } from "./answers.ts";

export function Says({ of }: { of: Diagnostic }) {
  if (!of.about) return <span class="problem-message">{of.message}</span>;
  return (
    <span class="problem-message">
      {of.about}
      <small lang="en">{of.message}</small>
    </span>
  );
}
