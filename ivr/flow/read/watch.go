package read

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	pollEvery   = time.Second            // how often Watch looks at the folder without being told
	settleTime  = 50 * time.Millisecond  // without a change, before what was saved is read
	settleMost  = 200 * time.Millisecond // however often it changes meanwhile
	maxWatched  = 512                    // folders; changes in others are seen by looking
	watchBuffer = 64                     // changes the system may tell of before they are taken
)

// Watch reloads when the system tells of a change in the folder or those in it, and
// looks once a second besides, for file systems and limits that leave changes untold. It
// runs on the caller's goroutine until the context ends.
func (f *Folder) Watch(ctx context.Context) {
	var told chan fsnotify.Event
	var failed chan error
	watcher, err := fsnotify.NewBufferedWatcher(watchBuffer)
	if err != nil {
		watcher = nil // nobody tells: looking is left
	} else {
		defer watcher.Close()
		told, failed = watcher.Events, watcher.Errors
		f.subscribe(watcher)
	}
	poll := time.NewTicker(f.poll)
	defer poll.Stop()
	settle := time.NewTimer(time.Hour)
	settle.Stop()
	defer settle.Stop()
	var first time.Time // of the changes not read yet
	changed := func() {
		if first.IsZero() {
			first = time.Now()
		}
		settle.Reset(min(settleTime, max(0, settleMost-time.Since(first))))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-told:
			if e.Op != fsnotify.Chmod {
				changed()
			}
		case <-failed: // some changes were lost
			changed()
		case <-settle.C:
			first = time.Time{}
			f.subscribe(watcher) // a folder may be new, or have been put in the place of another
			f.Reload(ctx)
		case <-poll.C:
			if !first.IsZero() {
				continue // it is still being saved
			}
			if _, read := f.Reload(ctx); read {
				f.subscribe(watcher)
			}
		}
	}
}

// subscribe listens to the folder and those in it, if anybody tells. What cannot be
// listened to is looked at once a second all the same.
func (f *Folder) subscribe(watcher *fsnotify.Watcher) {
	if watcher == nil {
		return
	}
	n := 0
	_ = filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		if path != f.dir && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if n++; n > maxWatched || watcher.Add(path) != nil {
			return filepath.SkipAll
		}
		return nil
	})
}
