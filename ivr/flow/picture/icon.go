package picture

// icon is the path of a small drawing, 16 px square for families and pills, 12 for
// chips and rows; "" for what has none.
func icon(kind string) string {
	switch kind {
	case "speak":
		return "M2 3h12v8h-7l-3 3v-3h-2z"
	case "listen":
		return "M3 3h2v2h-2zM7 3h2v2h-2zM11 3h2v2h-2zM3 8h2v2h-2zM7 8h2v2h-2zM11 8h2v2h-2zM7 13h2v1h-2z"
	case "decide":
		return "M8 2l6 6l-6 6l-6 -6z"
	case "outside":
		return "M7 3h-4v10h10v-4M10 2h4v4M14 2l-6 6"
	case "people":
		return "M5 5a3 3 0 1 0 6 0a3 3 0 1 0 -6 0M2 14c0 -6 12 -6 12 0"
	case "call":
		return "M2 3h12v10h-12zM5 3v10M11 3v10"
	case "finish":
		return "M4 4h8v8h-8z"
	case "start":
		return "M4 3l8 5l-8 5z"
	case "leave":
		return "M6 3h-3v10h3M7 8h7M11 5l3 3l-3 3"
	case "error":
		return "M8 2l7 12h-14zM8 7v3M8 12v0.2"
	case "command":
		return "M6 2v12M10 2v12M2 6h12M2 10h12"
	case "none":
		return "M5 5l6 6M11 5l-6 6"
	case "needs":
		return "M2 6h8v5h-8zM4 6v-2a2 2 0 0 1 4 0v2"
	case "secret":
		return "M1 6c3 -4 7 -4 10 0c-3 4 -7 4 -10 0M1 11l10 -10"
	case "again":
		return "M4 4a5 4 0 1 1 -1 5M4 1v4h4"
	case "ref", "broken", "end":
		return "M2 7h9M8 4l3 3l-3 3"
	}
	return ""
}
