package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"tandem/internal/config"
	"tandem/ivr/flow/source"
	"tandem/media/speech"
)

const (
	diskWarn    = 5 << 30               // bytes free: a day or two of recordings
	diskFail    = 256 << 20             // bytes free: the journal may stop within hours
	syncWarn    = 50 * time.Millisecond // to make a promise durable; callers hear it as a pause
	filesAround = 256                   // descriptors beside those of calls
	filesACall  = 4                     // two sockets, a recording, an HTTP connection
)

func checkFlows(_ context.Context, p *patient) []finding {
	const name = "flows"
	dir := string(p.Flows.Dir)
	if flowsFolder(p.Loaded) != nil {
		return []finding{{name, fail, "there is no folder " + dir, "make it and put *.flow.yaml files there, or set flows.dir"}}
	}
	library, diagnostics, err := readFlows(p.Loaded)
	if err != nil {
		return []finding{{name, fail, err.Error(), "give the server's user the right to read it"}}
	}
	p.library = library
	errs := errorsAmong(diagnostics)
	warnings := len(diagnostics) - errs
	first := ""
	if i := slices.IndexFunc(diagnostics, func(d source.Diagnostic) bool { return d.Severity == source.Error }); i >= 0 {
		d := diagnostics[i]
		first = fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Message)
	}
	switch {
	case errs > 0:
		return []finding{{name, fail, counted(errs, "error") + ", the first: " + first, "a server goes on with the last release that had none, if it has kept one; see all with: " + flowCheckHint(p.File)}}
	case warnings > 0:
		return []finding{{name, warn, counted(warnings, "warning"), "see them with: " + flowCheckHint(p.File)}}
	}
	return []finding{{name, ok, counted(len(library.Flows), "flow") + " in " + dir, ""}}
}

func checkSpeech(ctx context.Context, p *patient) []finding {
	const name = "speech"
	cfg := speech.Config{Engine: p.Speech.Engine, Languages: map[string]speech.Choice{}}
	for lang, v := range p.Speech.Languages {
		cfg.Languages[lang] = speech.Choice{Engine: v.Engine, Command: v.Command, URL: v.URL, Key: v.Key.Reveal(), Model: v.Model, Voice: v.Voice, Timeout: v.Timeout}
	}
	set, err := speech.Find(ctx, cfg)
	if err != nil {
		return []finding{{name, fail, err.Error(), "see speech.languages"}}
	}
	languages := []string{}
	if p.library != nil {
		for _, f := range p.library.Flows {
			languages = append(languages, f.Languages...)
		}
	}
	slices.Sort(languages)
	var all []finding
	for _, lang := range slices.Compact(languages) {
		if set.Speaks(lang) {
			all = append(all, finding{name + " " + lang, ok, strings.TrimSuffix(set.Engine(lang), ":"), ""})
		} else {
			all = append(all, finding{name + " " + lang, warn, "no engine: only what is recorded can be said",
				"install one (Debian: apt install espeak-ng), or name one under speech.languages"})
		}
	}
	return all
}

func checkClock(context.Context, *patient) []finding {
	const name = "clock"
	now := time.Now()
	if y := now.Year(); y < 2025 || y > 2100 {
		return []finding{{name, fail, "it says " + now.Format(time.DateOnly), "set it, and let NTP keep it"}}
	}
	if _, err := time.LoadLocation("Asia/Shanghai"); err != nil {
		return []finding{{name, fail, "time zones are not installed, calendars cannot be read", "install them (Debian: apt install tzdata)"}}
	}
	zone := now.Format("MST -0700")
	if synced, known := clockSynced(); known && !synced {
		return []finding{{name, warn, now.Format(time.DateTime) + " " + zone + ", kept by nobody", "let NTP keep it (Debian: apt install chrony); in a container the host does"}}
	}
	return []finding{{name, ok, now.Format(time.DateTime) + " " + zone, ""}}
}

func checkFiles(_ context.Context, p *patient) []finding {
	const name = "open files"
	limit, err := fileLimit()
	if err != nil {
		return []finding{{name, warn, "the limit cannot be read: " + err.Error(), ""}}
	}
	if needed := uint64(p.Limits.Calls*filesACall + filesAround); limit < needed {
		return []finding{{name, fail, fmt.Sprintf("%d allowed, %d calls need %d", limit, p.Limits.Calls, needed),
			fmt.Sprintf("raise it (ulimit -n %d, or LimitNOFILE= of the service), or lower limits.calls", needed)}}
	}
	return []finding{{name, ok, fmt.Sprintf("%d allowed", limit), ""}}
}

func checkDisk(_ context.Context, p *patient) []finding {
	all := []finding{diskOf("disk of store", filepath.Dir(string(p.Store.Path)))}
	blobs := string(p.Store.Blobs)
	if below, err := filepath.Rel(filepath.Dir(string(p.Store.Path)), blobs); err != nil || !filepath.IsLocal(below) {
		all = append(all, diskOf("disk of blobs", blobs))
	}
	return all
}

// diskOf looks at the space of a folder's disk, writes to it as the journal does,
// and measures how long that takes.
func diskOf(name, dir string) finding {
	dir = existing(dir)
	free, err := diskFree(dir)
	if err != nil {
		return finding{name, fail, dir + " cannot be looked at: " + err.Error(), "see store.path"}
	}
	took, err := trySync(dir)
	space := fmt.Sprintf("%s, %.1f GiB free", dir, float64(free)/(1<<30))
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return finding{name, fail, fmt.Sprintf("%s is full: %s", dir, plainError(err)), "make room: while it is full, new calls are refused"}
	case err != nil:
		return finding{name, fail, fmt.Sprintf("%s cannot be written: %v", dir, err), "give the server's user the right to write there, or set store.path"}
	case free < diskFail:
		return finding{name, fail, space, "make room: when it is full, new calls are refused"}
	case free < diskWarn:
		return finding{name, warn, space, "make room: recordings need about 1 MB for two minutes"}
	case took > syncWarn:
		return finding{name, warn, fmt.Sprintf("%s, %s to make a write durable", space, took.Round(time.Millisecond)), "use a local SSD: each promise waits for it"}
	}
	return finding{name, ok, fmt.Sprintf("%s, %s to make a write durable", space, took.Round(100*time.Microsecond)), ""}
}

// checkCheckpoints looks at the folder of the signed checkpoints: they are worth most
// where whoever can change the journal cannot change them.
func checkCheckpoints(_ context.Context, p *patient) []finding {
	const name = "checkpoints"
	dir := filepath.Dir(string(p.Store.Checkpoints))
	if dir == filepath.Dir(string(p.Store.Path)) {
		return []finding{{name, warn, dir + " is the folder of the database too", "set store.checkpoints to another disk: whoever can change the journal should not reach them"}}
	}
	there := existing(dir)
	f, err := os.CreateTemp(there, ".tandem-doctor-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return []finding{{name, fail, fmt.Sprintf("%s is full: %s", there, plainError(err)), "make room, or set store.checkpoints to another disk"}}
	case err != nil && there != dir:
		return []finding{{name, fail, fmt.Sprintf("%s is not there and cannot be made: %s", dir, plainError(err)), "make it for the server's user, or set store.checkpoints"}}
	case err != nil:
		return []finding{{name, fail, fmt.Sprintf("%s cannot be written: %s", dir, plainError(err)), "give the server's user the right to write there, or set store.checkpoints"}}
	case there != dir:
		return []finding{{name, ok, dir + " will be made at the first start", ""}}
	}
	return []finding{{name, ok, dir + " can be written", ""}}
}

// plainError is an error of a file without the file's name.
func plainError(err error) string {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// existing is dir, or the nearest folder above that is there.
func existing(dir string) string {
	for {
		if info, err := os.Stat(dir); (err == nil && info.IsDir()) || dir == "/" || dir == "." {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// trySync is the median time of a few small durable writes.
func trySync(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, ".tandem-doctor-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	page := make([]byte, 4096)
	times := make([]time.Duration, 7)
	for i := range times {
		begun := time.Now()
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		times[i] = time.Since(begun)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

func checkKey(ctx context.Context, p *patient) []finding {
	const name = "master key"
	key, err := config.LoadMasterKey(ctx, p.Store)
	clear(key)
	if err != nil {
		found, do, _ := strings.Cut(err.Error(), "; ")
		return []finding{{name, fail, found, do}}
	}
	if len(p.Store.MasterKeyCommand) > 0 {
		return []finding{{name, ok, "given by " + p.Store.MasterKeyCommand[0], ""}}
	}
	return []finding{{name, ok, string(p.Store.MasterKey) + "; is there a copy where the data is not?", ""}}
}

func checkStore(ctx context.Context, p *patient) []finding {
	const name = "store"
	path := string(p.Store.Path)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return []finding{{name, ok, path + " will be made at the first start", ""}}
	}
	key, err := config.LoadMasterKey(ctx, p.Store)
	clear(key)
	if err != nil {
		return []finding{{name, warn, path + " was not opened: that needs the master key", "first do what is said of the master key"}}
	}
	var quiet strings.Builder
	db, err := openStore(ctx, p.Config, toRead, &quiet)
	if err != nil {
		return []finding{{name, fail, err.Error(), "keep a copy of the files before you try anything"}}
	}
	defer db.Close()
	where := path + " opens"
	if p.running {
		where = path + " is served now"
	}
	return []finding{{name, ok, where, ""}}
}
