// What differs between two texts and two pictures, with signs, not by colour alone.
import { useState } from "preact/hooks";
import { TabPanel, Tabs } from "../staff/tabs.tsx";
import type { DiffLine, Difference } from "./answers.ts";
import { hunks } from "./lines.ts";
import { Legend } from "./picture/legend.tsx";
import { Picture } from "./picture/picture.tsx";
import { useStudioWords } from "./words.ts";

export function TextDifference({ lines, from, to }: { lines: readonly DiffLine[]; from: string; to: string }) {
  const w = useStudioWords();
  const shown = hunks(lines);
  const added = lines.filter((l) => l.op === "+").length;
  const removed = lines.filter((l) => l.op === "-").length;
  if (added + removed === 0) return <p class="empty">{w.noDifference}</p>;
  return (
    <figure class="difference" aria-label={w.differenceOf(from, to)}>
      <figcaption>
        <span class="soft">
          − {from} · + {to}
        </span>
        <span class="soft">{w.linesChanged(added, removed)}</span>
      </figcaption>
      <div class="table-scroll" tabIndex={0} role="group" aria-label={w.textDifference}>
        <table>
          <thead class="unseen">
            <tr>
              <th>{w.oldLine}</th>
              <th>{w.newLine}</th>
              <th>{w.change}</th>
              <th>{w.text}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((l, i) =>
              l === null ? (
                <tr key={i} class="gap">
                  <td colSpan={4}>⋯</td>
                </tr>
              ) : (
                <tr key={i} class={{ "+": "added", "-": "removed", " ": "" }[l.op]}>
                  <td class="line-number">{l.op === "+" ? "" : l.old}</td>
                  <td class="line-number">{l.op === "-" ? "" : l.new}</td>
                  <td class="sign">
                    <span aria-hidden="true">{{ "+": "+", "-": "−", " ": "" }[l.op]}</span>
                    {l.op !== " " && <span class="unseen">{l.op === "+" ? w.added : w.removed}</span>}
                  </td>
                  <td class="code">{l.line}</td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

const marked = /class="[^"]*\b(added|removed|changed)\b/;

// DifferenceView shows both kinds, one at a time.
export function DifferenceView({ difference, from, to, name }: { difference: Difference; from: string; to: string; name: string }) {
  const w = useStudioWords();
  // A picture in which nothing is marked tells less than the text.
  const [tab, setTab] = useState<"picture" | "text">(marked.test(difference.picture) ? "picture" : "text");
  if (difference.picture === "") return <TextDifference lines={difference.text} from={from} to={to} />;
  return (
    <div class="difference-view">
      <Tabs<"picture" | "text">
        name="difference"
        label={w.differenceOf(from, to)}
        tabs={[
          { id: "picture", label: w.pictureDifference },
          { id: "text", label: w.textDifference },
        ]}
        current={tab}
        onChoose={setTab}
      />
      <TabPanel name="difference" id={tab}>
        {tab === "picture" ? (
          <div class="difference-picture">
            <Picture svg={difference.picture} of={`${name} ${from} ${to}`} label={w.differenceOf(from, to)} marks=".step.added, .step.removed, .step.changed" />
            <Legend difference />
          </div>
        ) : (
          <TextDifference lines={difference.text} from={from} to={to} />
        )}
      </TabPanel>
    </div>
  );
}
