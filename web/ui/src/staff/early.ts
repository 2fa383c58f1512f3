// Runs before the page is drawn, so that a chosen theme does not flash.
import { applyTheme, firstTheme } from "./theme.ts";

applyTheme(firstTheme());
