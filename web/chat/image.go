package chat

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"tandem/web/answer"
)

// imagesPath is where pictures of flows are, by their path under the flows folder.
const imagesPath = "/api/v1/chat/images/"

const maxImage = 4 << 20 // bytes of a flow's picture

// getImage shows a picture of a flow: only files with a picture's name and content, so
// that nothing else in the folder can be read. They are for everybody who may see the chat.
func (d *Door) getImage(w http.ResponseWriter, r *http.Request) {
	from, given, ok := origin(r)
	if given && (!ok || (!d.isOwn(r, from) && !lists(d.o.Origins(), from))) {
		refuseOrigin(w)
		return
	}
	allow(w, from)
	name := r.PathValue("path")
	data, kind, ok := d.image(name)
	if !ok {
		answer.Refuse(w, http.StatusNotFound, "not_found", "There is no such picture.")
		return
	}
	h := w.Header()
	shown(h, kind)
	h.Set("Cache-Control", "public, max-age=300")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func (d *Door) image(name string) (data []byte, kind string, ok bool) {
	if !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") ||
		!slices.Contains([]string{".jpg", ".jpeg", ".png", ".gif", ".webp"}, strings.ToLower(path.Ext(name))) {
		return nil, "", false
	}
	f, err := d.o.Images.Open(name)
	if err != nil {
		return nil, "", false
	}
	defer f.Close()
	data, err = io.ReadAll(io.LimitReader(f, maxImage+1))
	if err != nil || len(data) > maxImage {
		return nil, "", false
	}
	kind = http.DetectContentType(data)
	_, known := codecs[kind]
	return data, kind, known
}
