package shelf

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tandem"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/store/release"
)

const (
	// MaxBytes is the longest a file may be.
	MaxBytes = source.MaxBytes
	maxName  = 100              // bytes of a file's name
	takeTime = 15 * time.Second // for a changed file to be read, once it is written
	newMode  = 0o644            // of a file that was not there; an old one keeps its own
)

// Edit is a change to one file that is to be published.
type Edit struct {
	File    string // in the folder itself, of a kind a folder has
	Text    []byte
	Base    string // release.TextHash of the file it was made from; "" = there was none
	By      string
	Note    string
	Publish *release.Publishing // the proposal it carries out; nil = none
}

// Refused is the error of an edit with mistakes.
type Refused struct {
	Found []source.Diagnostic // by the files' names in the folder
}

func (r *Refused) Error() string { return "the folder would have mistakes with this file" }

// pending is an edit that is in the folder and not taken yet; Shelf.mu guards it.
type pending struct {
	edit    Edit
	taken   bool
	release release.Release
	err     error // of keeping the release
}

// isIn reports whether the newest reading has an edit. Tests are not read into a
// library: of those the file itself is asked.
func (s *Shelf) isIn(e Edit) bool {
	if read.KindOf(e.File) == read.TestKind {
		text, err := s.Text(e.File)
		return err == nil && bytes.Equal(text, e.Text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.files[e.File]
	return ok && bytes.Equal(text, e.Text)
}

// took notes what became of the edit that is being published.
func (s *Shelf) took(p *pending, r release.Release, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == p && !p.taken {
		p.taken, p.release, p.err = true, r, err
	}
}

// Text reads a file of the folder as it is now; nil if there is none. A name that
// leads elsewhere is an error of code invalid.
func (s *Shelf) Text(name string) ([]byte, error) {
	if !fs.ValidPath(name) || read.KindOf(name) == "" {
		return nil, tandem.Errorf(tandem.CodeInvalid, "%q is no file of a flows folder by its name", name)
	}
	root, err := os.OpenRoot(s.o.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the flows folder: %w", err)
	}
	defer root.Close()
	return textOf(root, name)
}

func textOf(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil { // a link out of the folder is one
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s cannot be read: %w", name, err)
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for its other end
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s is no plain file", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading a flow file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading a flow file: %w", err)
	case len(text) > MaxBytes:
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s is larger than %d bytes", name, MaxBytes)
	case text == nil:
		text = []byte{}
	}
	return text, nil
}

// CheckEdit reports what is wrong with an edit before anything of it is read: its name,
// its size, what it is made of, or that the file is another by now (code conflict).
// before is the file's text, nil if there is none.
func (s *Shelf) CheckEdit(e Edit) (before []byte, err error) {
	if err := checkName(e.File); err != nil {
		return nil, err
	}
	if err := CheckText(e.Text); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(s.o.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the flows folder: %w", err)
	}
	defer root.Close()
	if _, err := modeOf(root, e.File); err != nil {
		return nil, err
	}
	if before, err = textOf(root, e.File); err != nil {
		return nil, err
	}
	hash := ""
	if before != nil {
		hash = release.TextHash(before)
	}
	switch {
	case hash != e.Base && e.Base == "":
		return nil, tandem.Errorf(tandem.CodeConflict, "there is a file %s already; open it and change that one", e.File)
	case hash != e.Base:
		return nil, changedMeanwhile(e.File)
	case before != nil && bytes.Equal(before, e.Text):
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s says exactly this already: there is nothing to publish", e.File)
	}
	return before, nil
}

func changedMeanwhile(name string) error {
	return tandem.Errorf(tandem.CodeConflict, "%s has been changed meanwhile; look at it again and make your change there", name)
}

// checkName takes plain names of files in the folder itself, of a kind it has.
func checkName(name string) error {
	why := ""
	switch {
	case len(name) > maxName:
		why = "it is too long"
	case !utf8.ValidString(name) || name != path.Base(name) || strings.ContainsAny(name, `/\:`) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		why = "it may name a file in the folder itself only"
	case read.KindOf(name) == "":
		why = "name it NAME.flow.yaml, NAME.test.yaml, NAME.calendar.yaml, NAME.queues.yaml, NAME.form.yaml, NAME.operation.yaml, NAME.classify.yaml, NAME.check.yaml or NAME.replies.yaml"
	default:
		return nil
	}
	return tandem.Errorf(tandem.CodeInvalid, "%.120q cannot be published: %s", name, why)
}

// CheckText takes UTF-8 text of a file's length at most.
func CheckText(text []byte) error {
	switch {
	case len(text) > MaxBytes:
		return tandem.Errorf(tandem.CodeInvalid, "a file may have %d bytes at most", MaxBytes)
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		return tandem.Errorf(tandem.CodeInvalid, "this is no text in UTF-8")
	}
	return nil
}

// Publish writes a file of the folder, has the folder read at once, and keeps the new
// library as a release. Whatever goes wrong (mistakes: *Refused; another change in
// between: code conflict; disk or store: code unavailable), the folder is as it was
// before, and serves as before. Edits are published one after the other.
func (s *Shelf) Publish(ctx context.Context, e Edit) (release.Release, error) {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	before, err := s.CheckEdit(e)
	if err != nil {
		return release.Release{}, err
	}
	if lib, found := s.Overlay(e.File, e.Text); lib == nil {
		return release.Release{}, &Refused{found}
	}
	if err := ctx.Err(); err != nil { // whoever asked has left; from here on it is done whole
		return release.Release{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeTime)
	defer cancel()
	p := &pending{edit: e}
	s.setPending(p)
	defer s.setPending(nil)
	if err := s.put(e.File, e.Text, before); err != nil {
		return release.Release{}, s.unwritten(e.File, err)
	}
	s.folder.Reload(ctx)
	s.setPending(nil) // nothing changes p any more
	if p.taken && p.err == nil {
		return p.release, nil
	}
	return release.Release{}, s.takeBack(ctx, p, before)
}

func (s *Shelf) setPending(p *pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = p
}

// takeBack puts the old text back after an edit that was not taken.
func (s *Shelf) takeBack(ctx context.Context, p *pending, before []byte) error {
	cause := p.err
	if cause == nil {
		if found := s.State().Found; source.HasErrors(found) { // another file was changed in between, too
			cause = &Refused{found}
		} else {
			cause = changedMeanwhile(p.edit.File)
		}
	}
	err := s.restore(p.edit, before)
	s.folder.Reload(ctx)
	if err != nil {
		s.log.Error("a file that could not be published could not be taken back either", "file", p.edit.File, "cause", cause, "error", err)
		return errors.Join(cause, err)
	}
	return cause
}

// restore puts the old text back, unless somebody has changed the file since.
func (s *Shelf) restore(e Edit, before []byte) error {
	now, err := s.Text(e.File)
	if err != nil || !bytes.Equal(now, e.Text) {
		return err
	}
	if before != nil {
		return s.put(e.File, before, now)
	}
	root, err := os.OpenRoot(s.o.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.Remove(e.File)
}

// unwritten is the error of a file that could not be written.
func (s *Shelf) unwritten(name string, err error) error {
	var known *tandem.Error
	if errors.As(err, &known) {
		return err
	}
	s.log.Error("a flow file could not be written; it is as it was", "file", name, "error", err)
	return tandem.Errorf(tandem.CodeUnavailable, "%s could not be written; it is as it was: %w", name, err)
}

// put writes a file so that at any moment the old or the new one is there whole: beside
// it, durable, then in its place. An old file keeps its mode. What somebody has saved
// there meanwhile, so that it is no longer old (nil = no file), is left and code conflict.
func (s *Shelf) put(name string, text, old []byte) (err error) {
	root, err := os.OpenRoot(s.o.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	mode, err := modeOf(root, name)
	if err != nil {
		return err
	}
	part := ".tandem-" + rand.Text()
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, root.Remove(part))
		}
	}()
	if err := errors.Join(s.write(f, text), f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	now, err := textOf(root, name)
	if err != nil {
		return err
	}
	if (now == nil) != (old == nil) || !bytes.Equal(now, old) {
		return changedMeanwhile(name)
	}
	if err := root.Rename(part, name); err != nil {
		return err
	}
	// The name is in its place; that it is durable too is the disk's to say, and no
	// reason to take the file back.
	if dir, err := root.Open("."); err == nil {
		if err := dir.Sync(); err != nil {
			s.log.Warn("the flows folder could not be made durable", "error", err)
		}
		dir.Close()
	}
	return nil
}

// modeOf is the mode a file keeps, or that of a new one. What is no plain file of the
// folder itself is not changed.
func modeOf(root *os.Root, name string) (fs.FileMode, error) {
	info, err := root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return newMode, nil
	case err != nil:
		return 0, err
	case info.Mode()&fs.ModeSymlink != 0:
		return 0, tandem.Errorf(tandem.CodeInvalid, "%s is a link to another file: change it where it lies", name)
	case !info.Mode().IsRegular():
		return 0, tandem.Errorf(tandem.CodeInvalid, "%s is no plain file", name)
	}
	return info.Mode().Perm(), nil
}

func writeAll(f *os.File, text []byte) error {
	_, err := f.Write(text)
	return err
}
