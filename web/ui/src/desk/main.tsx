import { render } from "preact";
import { Announcer } from "../staff/announce.tsx";
import { Keys } from "../staff/keys.tsx";
import { SettingsProvider } from "../staff/settings.tsx";
import "../staff/style.css";
import "./desk.css";
import { Desk } from "./desk.tsx";
import { keepJoin } from "./join.tsx";

keepJoin();
window.addEventListener("hashchange", () => location.hash.startsWith("#join=") && location.reload()); // a link that is opened in a page that is there
const root = document.getElementById("page");
if (root) {
  render(
    <SettingsProvider>
      <Keys name="desk">
        <Announcer badFor={15_000}>
          <Desk />
        </Announcer>
      </Keys>
    </SettingsProvider>,
    root,
  );
}
