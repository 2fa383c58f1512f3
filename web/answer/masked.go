package answer

import "strings"

// Masked is a request's path as it may be logged: what follows /l/ or /t/ is a token,
// which opens what it leads to.
func Masked(path string) string {
	at := -1
	for _, way := range [2]string{"/l/", "/t/"} {
		if i := strings.Index(path, way); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 {
		return path
	}
	return path[:at+len("/l/")] + "••••"
}
