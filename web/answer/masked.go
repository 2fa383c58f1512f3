package answer

import "strings"

// Masked is a request's path as it may be logged: what follows /l/ is a link's token,
// which opens what it leads to.
func Masked(path string) string {
	before, _, token := strings.Cut(path, "/l/")
	if !token {
		return path
	}
	return before + "/l/••••"
}
