import { render } from "preact";
import "./style.css";
import { Page } from "./page.tsx";

const root = document.getElementById("page");
if (root) render(<Page />, root);
