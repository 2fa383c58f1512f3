package picture

// Style is the style sheet of a picture: classes, and the colours as custom properties
// of .picture, light or dark as the viewer likes, or as .light and .dark say.
func Style() string {
	return ".picture{" + lightColours + "}\n" +
		"@media (prefers-color-scheme:dark){.picture:not(.light){" + darkColours + "}}\n" +
		".picture.dark{" + darkColours + "}\n" + rules
}

const lightColours = "--fp-paper:#fff;--fp-card:#fff;--fp-edge:#c6ccd6;--fp-ink:#1b2430;--fp-soft:#5a6675;--fp-line:#7d8998;--fp-back:#8a5bb0;" +
	"--fp-row:#f1f4f8;--fp-chip:#e9edf3;--fp-speak:#2f6fd0;--fp-listen:#0b7f79;--fp-decide:#946200;--fp-outside:#7a4fc0;--fp-people:#b8400f;--fp-call:#5b6673;--fp-finish:#3c4653;" +
	"--fp-error:#c4222f;--fp-error-tint:#fdeaec;--fp-warn:#8a5a00;--fp-warn-tint:#fff3d6;--fp-add:#17753a;--fp-add-tint:#e3f5e8;--fp-path:#0b5fcc;--fp-path-tint:#e2eefe;--fp-grey:#6c7683"

const darkColours = "--fp-paper:#12161c;--fp-card:#1c222b;--fp-edge:#3d4756;--fp-ink:#e8edf4;--fp-soft:#a5b0bf;--fp-line:#8592a3;--fp-back:#c39be6;" +
	"--fp-row:#262d38;--fp-chip:#2c3441;--fp-speak:#74a8ff;--fp-listen:#4cc9c0;--fp-decide:#e5b34d;--fp-outside:#b99bf2;--fp-people:#ff9a6b;--fp-call:#a5b0bf;--fp-finish:#c4ccd7;" +
	"--fp-error:#ff7b83;--fp-error-tint:#45202a;--fp-warn:#f0bd5a;--fp-warn-tint:#3d3118;--fp-add:#5fd38a;--fp-add-tint:#1b3a28;--fp-path:#6db0ff;--fp-path-tint:#1b3350;--fp-grey:#8c97a5"

const rules = `.picture{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;font-size:11px}
.picture .paper{fill:var(--fp-paper)}
.picture text{fill:var(--fp-ink)}
.picture .heading{font-size:17px;font-weight:600}
.picture .soft,.picture .prompt{fill:var(--fp-soft)}
.picture .name{font-size:13px;font-weight:600}
.picture .prompt{font-style:italic}
.picture .box{fill:var(--fp-card);stroke:var(--fp-edge);stroke-width:1.2}
.picture .side,.picture .icon{fill:var(--fp-tone)}
.picture .icon{fill:none;stroke:var(--fp-tone);stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}
.picture .verb{fill:var(--fp-tone);font-weight:600}
.picture .bar{stroke:var(--fp-edge);stroke-width:1.2}
.picture .speak{--fp-tone:var(--fp-speak)}
.picture .listen{--fp-tone:var(--fp-listen)}
.picture .decide{--fp-tone:var(--fp-decide)}
.picture .outside{--fp-tone:var(--fp-outside)}
.picture .people{--fp-tone:var(--fp-people)}
.picture .call{--fp-tone:var(--fp-call)}
.picture .finish{--fp-tone:var(--fp-finish)}
.picture .none{--fp-tone:var(--fp-grey)}
.picture .chip rect{fill:var(--fp-chip)}
.picture .chip text{font-size:10px;fill:var(--fp-soft)}
.picture .chip path{fill:none;stroke:var(--fp-soft);stroke-width:1.3}
.picture .chip.errors rect,.picture .chip.left rect{fill:var(--fp-error-tint)}
.picture .chip.errors text,.picture .chip.left text{fill:var(--fp-error);font-weight:600}
.picture .chip.warnings rect,.picture .chip.missing rect{fill:var(--fp-warn-tint)}
.picture .chip.warnings text,.picture .chip.missing text{fill:var(--fp-warn);font-weight:600}
.picture .chip.entered rect{fill:var(--fp-path-tint)}
.picture .chip.entered text{fill:var(--fp-path);font-weight:600}
.picture .row rect{fill:var(--fp-row)}
.picture .row .stop{fill:var(--fp-paper);stroke:var(--fp-soft)}
.picture .row .icon{stroke:var(--fp-soft)}
.picture .row .target{font-weight:600}
.picture .row.ref .target{fill:var(--fp-path)}
.picture .row.broken rect{fill:var(--fp-error-tint)}
.picture .row.broken .target{fill:var(--fp-error)}
.picture a:hover .target,.picture a:focus .target{text-decoration:underline}
.picture .edge path.way{fill:none;stroke:var(--fp-line);stroke-width:1.4}
.picture .edge path.head{fill:var(--fp-line)}
.picture .label .n{font-weight:600;fill:var(--fp-path)}
.picture .label rect{fill:var(--fp-paper)}
.picture .back path.way{stroke:var(--fp-back);stroke-dasharray:6 3}
.picture .back path.head{fill:var(--fp-back)}
.picture .back .label text{fill:var(--fp-back)}
.picture .w0 path.way{stroke-width:1;stroke-dasharray:2 4}
.picture .w1 path.way{stroke-width:1.5}
.picture .w2 path.way{stroke-width:2.5}
.picture .w3 path.way{stroke-width:4}
.picture .w4 path.way{stroke-width:5.5}
.picture .w5 path.way{stroke-width:7}
.picture .pill .box{fill:var(--fp-row);stroke:var(--fp-line)}
.picture .pill.start .box{fill:var(--fp-ink);stroke:var(--fp-ink)}
.picture .pill.start text{fill:var(--fp-paper);font-weight:600}
.picture .pill.start .icon{stroke:var(--fp-paper)}
.picture .pill .icon{stroke:var(--fp-soft)}
.picture .pill text{font-size:12px}
.picture .unreachable .box{stroke-dasharray:3 3;stroke:var(--fp-grey);fill:var(--fp-row)}
.picture .unreachable{--fp-tone:var(--fp-grey)}
.picture .unreachable .name{fill:var(--fp-grey)}
.picture .edge.grey path.way{stroke:var(--fp-edge)}
.picture .edge.grey path.head{fill:var(--fp-edge)}
.picture .warned .box{stroke:var(--fp-warn);stroke-width:1.8}
.picture .wrong .box{stroke:var(--fp-error);stroke-width:2.4}
.picture .added .box{stroke:var(--fp-add);stroke-width:2.4;fill:var(--fp-add-tint)}
.picture .removed .box{stroke:var(--fp-error);stroke-width:2;stroke-dasharray:7 4;fill:var(--fp-error-tint)}
.picture .changed .box{stroke:var(--fp-warn);stroke-width:2.4;fill:var(--fp-warn-tint)}
.picture .removed .name{text-decoration:line-through}
.picture .added path.way{stroke:var(--fp-add);stroke-width:2.4}
.picture .added path.head{fill:var(--fp-add)}
.picture .removed path.way{stroke:var(--fp-error);stroke-width:2;stroke-dasharray:7 4}
.picture .removed path.head{fill:var(--fp-error)}
.picture .changed path.way{stroke:var(--fp-warn);stroke-width:2}
.picture .changed path.head{fill:var(--fp-warn)}
.picture .row.added rect{fill:var(--fp-add-tint)}
.picture .row.removed rect{fill:var(--fp-error-tint)}
.picture .row.changed rect{fill:var(--fp-warn-tint)}
.picture .sign circle,.picture .turn rect{stroke:var(--fp-paper);stroke-width:1.5}
.picture .sign text{fill:var(--fp-paper);font-size:14px;font-weight:700}
.picture .added .sign circle{fill:var(--fp-add)}
.picture .removed .sign circle{fill:var(--fp-error)}
.picture .changed .sign circle{fill:var(--fp-warn)}
.picture .turn rect{fill:var(--fp-path)}
.picture .turn text{fill:var(--fp-paper);font-weight:700}
.picture.traced .step,.picture.traced .edge,.picture.traced .pill{opacity:.42}
.picture.traced .taken{opacity:1}
.picture .step.taken .box{stroke:var(--fp-path);stroke-width:2.6}
.picture .edge.taken path.way{stroke:var(--fp-path);stroke-width:3.2}
.picture .edge.taken path.head{fill:var(--fp-path)}
.picture .row.taken rect{fill:var(--fp-path-tint)}
.picture .step:focus{outline:none}
.picture .step:focus .box,.picture .step:target .box,.picture .step.selected .box{stroke:var(--fp-path);stroke-width:3}
`
