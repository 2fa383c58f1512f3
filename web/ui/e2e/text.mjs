// Journey "text": a customer with a telephone, a browser and text messages, and one flow
// that serves them on all three. Calls take their time, so they go on beside what needs
// the browser alone, each on a server of its own.
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

// Everybody here comes from one address; and this machine may be busy with more than calls.
const settings = {
  TANDEM_LIMITS_LATE: "0s",
  TANDEM_CHAT_LIMITS_CONVERSATIONS_PER_HOUR: "1000",
  TANDEM_TEXTS_PER_VISITOR_PER_HOUR: "100",
  TANDEM_TEXTS_PER_ADDRESS_PER_HOUR: "100",
};

export default async function text({ browser, root, startServer, ...tools }) {
  const note = (words) => console.log(`       ${words}`);
  const worldOf = (server) => world({ browser, root, server });
  await Promise.all([byTelephone(), byBrowser()]);

  async function byTelephone() {
    const server = await startServer(settings);
    try {
      const w = await worldOf(server);
      await Promise.all([calls(w, { ...tools, note }), channels(w, { ...tools, note })]);
      await moves(w, tools);
      await doors(w, tools);
    } finally {
      await server.stop();
    }
  }

  async function byBrowser() {
    let w;
    const [listed, stranger] = [await somebody(() => w.door), await somebody(() => w.door)];
    const server = await startServer({ ...settings, TANDEM_CHAT_SITES_DEMO_ORIGINS: listed.origin });
    try {
      w = await worldOf(server);
      const early = runsOut(w); // it takes a minute
      early.catch(() => {}); // told where it is awaited
      await widget(w, { ...tools, again: (dir) => startServer(settings, dir) }, worldOf);
      await looks(w, tools);
      await hosts(w, tools, listed, stranger);
      await links(w, { ...tools, browser }, early);
    } finally {
      await server.stop();
      await Promise.all([listed.stop(), stranger.stop()]);
    }
  }
}
