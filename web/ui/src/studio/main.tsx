import { render } from "preact";
import { Announcer } from "../staff/announce.tsx";
import { Keys } from "../staff/keys.tsx";
import { SettingsProvider } from "../staff/settings.tsx";
import "../staff/style.css";
import "./editor/editor.css";
import "./studio.css";
import { Studio } from "./studio.tsx";

const root = document.getElementById("page");
if (root) {
  render(
    <SettingsProvider>
      <Keys>
        <Announcer>
          <Studio />
        </Announcer>
      </Keys>
    </SettingsProvider>,
    root,
  );
}
