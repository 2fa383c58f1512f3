package api

import "net/http"

// Staff is the handler of http.staff_listen. Desk, board and studio come into use
// with later versions; until then the door says so and lets nobody in.
func Staff() http.Handler {
	return guarded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plain(w, http.StatusNotFound, "This door is for staff. Its pages come with a later version; there is nothing here yet.")
	}))
}
