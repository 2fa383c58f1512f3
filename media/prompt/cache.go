package prompt

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"tandem/media"
	"tandem/media/wav"
)

// bytesPerSample is what a clip costs in memory: samples, and both laws.
const bytesPerSample = 4

// cache is clips by key, the least lately used going first when it is full. One
// that is being made is made once, however many ask.
type cache struct {
	ctx  context.Context // ends what is being made
	wait sync.WaitGroup  // goroutines that make clips
	// told of a panic while making one; may be nil
	panicked func(p any)

	mu     sync.Mutex // guards what follows
	max    int        // bytes
	used   int
	recent *list.List // of *cached, the latest first
	byKey  map[string]*list.Element
	making map[string]*flight
	closed bool
}

type cached struct {
	key  string
	clip *media.Clip
}

func (c *cached) cost() int { return c.clip.Samples()*bytesPerSample + len(c.key) }

// flight is one clip being made; done is closed once clip or err is set.
type flight struct {
	done chan struct{}
	clip *media.Clip
	err  error
}

func newCache(ctx context.Context, max int) *cache {
	return &cache{ctx: ctx, max: max, recent: list.New(), byKey: make(map[string]*list.Element), making: make(map[string]*flight)}
}

var errClosed = errors.New("the voice is closed")

// get returns the clip of a key, making it if need be. Making goes on when the
// caller's ctx ends: others may wait for it, and the next caller will.
func (c *cache) get(ctx context.Context, key string, build func(context.Context) (*media.Clip, error)) (*media.Clip, error) {
	c.mu.Lock()
	if e, ok := c.byKey[key]; ok {
		c.recent.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(*cached).clip, nil
	}
	if c.closed {
		c.mu.Unlock()
		return nil, errClosed
	}
	f, ok := c.making[key]
	if !ok {
		f = &flight{done: make(chan struct{})}
		c.making[key] = f
		c.wait.Go(func() { c.fly(key, f, build) })
	}
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.clip, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (c *cache) fly(key string, f *flight, build func(context.Context) (*media.Clip, error)) {
	f.err = errors.New("making the prompt ended early") // stands if build panics
	defer func() {
		if p := recover(); p != nil {
			f.err = errors.New("a fault of ours while making the prompt")
			if c.panicked != nil {
				c.panicked(p)
			}
		}
		c.mu.Lock()
		delete(c.making, key)
		if f.err == nil {
			c.keep(&cached{key: key, clip: f.clip})
		}
		c.mu.Unlock()
		close(f.done)
	}()
	f.clip, f.err = build(c.ctx)
}

// keep stores a clip; one larger than the whole cache is given out but not kept.
// The caller holds mu.
func (c *cache) keep(n *cached) {
	if n.cost() > c.max {
		return
	}
	c.used += n.cost()
	c.byKey[n.key] = c.recent.PushFront(n)
	for c.used > c.max {
		e := c.recent.Back()
		old := e.Value.(*cached)
		c.recent.Remove(e)
		delete(c.byKey, old.key)
		c.used -= old.cost()
	}
}

// close refuses new clips and waits for those being made; their context has ended.
func (c *cache) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wait.Wait()
}

// disk is a bounded folder of spoken texts, one file each under the hash of engine,
// language and text. Files appear whole or not at all.
type disk struct {
	dir string
	max int64 // bytes
	mu  sync.Mutex
}

// diskKey is the name of what an engine said.
func diskKey(engine, lang, text string) string {
	h := sha256.New()
	for _, s := range []string{"1", engine, strings.ToLower(lang), text} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ownFiles begins the names of what is kept: other files in the folder are not ours
// to remove.
const ownFiles = "said-"

func (d *disk) path(key string) string { return filepath.Join(d.dir, ownFiles+key+".wav") }

// load returns the samples kept under a key, or fs.ErrNotExist. A file that cannot
// be read as audio is removed.
func (d *disk) load(key string) ([]int16, error) {
	f, err := os.Open(d.path(key))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	audio, err := wav.Read(f)
	if err != nil || audio.Rate != rate {
		return nil, errors.Join(fs.ErrNotExist, err, os.Remove(d.path(key)))
	}
	return audio.PCM, nil
}

// save keeps samples under a key and removes the oldest files beyond max.
func (d *disk) save(key string, pcm []int16) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("making the prompt cache: %w", err)
	}
	f, err := os.CreateTemp(d.dir, ownFiles+"*.tmp")
	if err != nil {
		return fmt.Errorf("keeping a prompt: %w", err)
	}
	err = errors.Join(wav.Write(f, wav.Audio{Rate: rate, PCM: pcm}), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), d.path(key))
	}
	if err != nil {
		return fmt.Errorf("keeping a prompt: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return d.prune()
}

func (d *disk) prune() error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("bounding the prompt cache: %w", err)
	}
	var files []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !strings.HasPrefix(e.Name(), ownFiles) {
			continue
		}
		files = append(files, info)
		total += info.Size()
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if total <= d.max {
			break
		}
		if err := os.Remove(filepath.Join(d.dir, f.Name())); err != nil {
			return fmt.Errorf("bounding the prompt cache: %w", err)
		}
		total -= f.Size()
	}
	return nil
}
