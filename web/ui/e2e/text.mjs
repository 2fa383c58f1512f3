// Journey "text": a customer with a telephone, a browser and text messages, and one flow
// that serves them on all three.
import { calls } from "./text/calls.mjs";
import { channels } from "./text/channels.mjs";
import { doors } from "./text/doors.mjs";
import { hosts, somebody } from "./text/hosts.mjs";
import { links, runsOut } from "./text/links.mjs";
import { looks } from "./text/looks.mjs";
import { moves } from "./text/moves.mjs";
import { widget } from "./text/widget.mjs";
import { world } from "./text/world.mjs";

export const alone = true; // it starts its own servers

// Everybody here comes from one address, and has few telephones.
const settings = {
  TANDEM_CHAT_LIMITS_CONVERSATIONS_PER_HOUR: "1000",
  TANDEM_TEXTS_PER_NUMBER_PER_HOUR: "100",
  TANDEM_TEXTS_PER_NUMBER_PER_DAY: "100",
  TANDEM_TEXTS_PER_VISITOR_PER_HOUR: "100",
  TANDEM_TEXTS_PER_ADDRESS_PER_HOUR: "100",
};

export default async function text(tools) {
  const { browser, root, startServer } = tools;
  const note = (words) => console.log(`       ${words}`);
  let server;
  const [listed, stranger] = [await somebody(() => w.door), await somebody(() => w.door)];
  settings.TANDEM_CHAT_SITES_DEMO_ORIGINS = listed.origin;
  let w;
  try {
    server = await startServer(settings);
    w = await world({ browser, root, server });
    const early = runsOut(w); // it takes a minute
    early.catch(() => {}); // told where it is awaited
    await calls(w, { ...tools, note });
    await channels(w, { ...tools, note });
    await moves(w, tools);
    await links(w, tools, early);
    await widget(w, { ...tools, settings, note }, (other) => world({ browser, root, server: other }));
    await hosts(w, tools, listed, stranger);
    await doors(w, tools);
    await looks(w, tools);
  } finally {
    await server?.stop();
    await Promise.all([listed.stop(), stranger.stop()]);
  }
}
