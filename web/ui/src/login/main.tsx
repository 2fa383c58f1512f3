import { render } from "preact";
import { SettingsProvider } from "../staff/settings.tsx";
import "../staff/style.css";
import "./style.css";
import { LoginPage } from "./page.tsx";

const root = document.getElementById("page");
if (root) {
  render(
    <SettingsProvider>
      <LoginPage />
    </SettingsProvider>,
    root,
  );
}
