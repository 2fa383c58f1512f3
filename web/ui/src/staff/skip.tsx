// The first stop of the Tab key: past the bar, to the content.
import { useStaffWords } from "./words.ts";

export function SkipLink({ to }: { to: string }) {
  const w = useStaffWords();
  return (
    <a
      class="skip"
      href={`#${to}`}
      onClick={(e) => {
        e.preventDefault(); // the address names the page's place, not an anchor
        document.getElementById(to)?.focus();
      }}
    >
      {w.skip}
    </a>
  );
}
