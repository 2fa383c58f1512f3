// Journey "text": a customer with a telephone, a browser and text messages, and one flow
// that serves them on all three.
import { calls } from "./text/calls.mjs";
import { channels } from "./text/channels.mjs";
import { links, runsOut } from "./text/links.mjs";
import { moves } from "./text/moves.mjs";
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
  const server = await startServer(settings);
  try {
    const w = await world({ browser, root, server });
    const early = runsOut(w); // it takes a minute
    early.catch(() => {}); // told where it is awaited
    await calls(w, { ...tools, note });
    await channels(w, { ...tools, note });
    await moves(w, tools);
    await links(w, tools, early);
  } finally {
    await server.stop();
  }
}
