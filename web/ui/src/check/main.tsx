import { render } from "preact";
import "../customer/style.css";
import "../face/tiles.shadow.css";
import "./style.css";
import { Page } from "./page.tsx";

const root = document.getElementById("page");
if (root) render(<Page />, root);
