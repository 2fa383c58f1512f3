package beside

import (
	"fmt"
	"io/fs"
	"strings"

	"tandem/ivr/flow/source"
	"tandem/media/wav"
)

// Folder is where recordings and images lie. It looks at each recording once.
type Folder struct {
	fsys  fs.FS
	audio map[string]error
}

// NewFolder makes a Folder of a file system; paths count from its root.
func NewFolder(fsys fs.FS) *Folder { return &Folder{fsys: fsys, audio: map[string]error{}} }

// Audio reads the path of a WAV file and looks at its head; "" if it cannot be used.
func (d *Folder) Audio(f *source.File, n *source.Node) string { return d.path(f, n, "audio", d.wave) }

// Image reads the path of an image; "" if there is none.
func (d *Folder) Image(f *source.File, n *source.Node) string { return d.path(f, n, "image", d.exists) }

func (d *Folder) path(f *source.File, n *source.Node, what string, check func(string) error) string {
	path, ok := f.Text(n, what)
	if !ok {
		return ""
	}
	if !fs.ValidPath(path) || path == "." || strings.Contains(path, `\`) {
		f.Fail(n, "file", "write a path such as audio/hello.wav", "%s files lie in the flows folder or below; `%s` does not", what, path)
		return ""
	}
	if err := check(path); err != nil {
		f.Fail(n, "file", "", "the %s file %s cannot be used: %v", what, path, err)
		return ""
	}
	return path
}

// wave looks at the head of a WAV file.
func (d *Folder) wave(path string) error {
	if err, seen := d.audio[path]; seen {
		return err
	}
	err := d.exists(path)
	if err == nil {
		f, openErr := d.fsys.Open(path)
		if openErr != nil {
			err = Plain(openErr)
		} else {
			err = wav.Check(f)
			f.Close()
		}
	}
	d.audio[path] = err
	return err
}

func (d *Folder) exists(path string) error {
	info, err := fs.Stat(d.fsys, path)
	if err != nil {
		return Plain(err)
	}
	if info.IsDir() {
		return fmt.Errorf("it is a folder")
	}
	return nil
}

// Plain takes the path out of an error that is shown beside it.
func Plain(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err
	}
	return err
}
