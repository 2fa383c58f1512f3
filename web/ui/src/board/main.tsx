import { render } from "preact";
import { Announcer } from "../staff/announce.tsx";
import { Keys } from "../staff/keys.tsx";
import { SettingsProvider } from "../staff/settings.tsx";
import "../staff/style.css";
import "./board.css";
import { Board } from "./board.tsx";

const root = document.getElementById("page");
if (root) {
  render(
    <SettingsProvider>
      <Keys>
        <Announcer>
          <Board />
        </Announcer>
      </Keys>
    </SettingsProvider>,
    root,
  );
}
