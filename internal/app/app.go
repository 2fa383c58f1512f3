// Package app is the whole program put together: it makes every part from one
// configuration, hands each what it needs, serves calls, and stops in order. It is
// the only package that knows all others.
//
// It runs one goroutine for each HTTP door, one that watches the configuration's
// entries, one for the outbox if tasks are told of, and those of the parts it made.
// Calls run on goroutines of signalling; Call is their whole life.
package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tandem"
	"tandem/bridge/caps"
	"tandem/bridge/hook"
	"tandem/bridge/leg"
	"tandem/bridge/phone"
	"tandem/bridge/queue"
	"tandem/bridge/survey"
	"tandem/bridge/ticket"
	"tandem/flows"
	"tandem/internal/config"
	"tandem/internal/shelf"
	"tandem/internal/tally"
	"tandem/ivr/fetch"
	"tandem/media"
	"tandem/media/prompt"
	"tandem/media/speech"
	"tandem/sip"
	"tandem/store"
	"tandem/store/blob"
	"tandem/store/sqlite"
	"tandem/store/staff"
	"tandem/web/api"
	webchat "tandem/web/chat"
	"tandem/web/desk"
	"tandem/web/login"
	"tandem/web/studio"
)

// Options is what a program is made from.
type Options struct {
	Config  *config.Loaded
	Environ []string // as os.Environ gives it: for reading the configuration again
	Log     *slog.Logger
	Version string
	Demo    bool
	// Phone is the customer's telephone that the demo's page plays; nil = none.
	Phone *api.Phone
	// Console is where mistakes in files are printed as their checker prints them, for
	// a person who watches; nil = they are in the log.
	Console io.Writer

	fault func(point string) error // of the disk, for tests; see sqlite.Options
}

// App is one running server.
type App struct {
	o      Options
	cfg    *config.Config
	log    *slog.Logger
	now    func() time.Time
	random io.Reader

	registry  *prometheus.Registry
	metrics   *metrics
	store     *sqlite.DB
	blobs     *blob.Dir
	speech    *prompt.Voice
	sounds    sounds
	shelf     *shelf.Shelf
	tally     *tally.Tally
	studio    *studio.Studio
	entries   atomic.Pointer[config.Entries]
	addresses addresses
	media     *media.Engine
	sip       *sip.Server
	caps      *caps.Ledger
	fetch     *fetch.Client
	staff     *staff.Register
	login     *login.Door
	written
	pages     pages
	seats     seats
	tracks    tracks
	faces     faces
	live      live
	line      *queue.Router
	stopLine  context.CancelFunc
	lining    sync.WaitGroup // goroutines of the line
	lineTaken atomic.Bool    // another process serves the line: nothing new is let in
	told      told           // sessions that wait in it
	connects  connects       // transfers that wait in it
	sentOn    sentOn         // customers whose agent asks them to go on elsewhere
	takes     takes          // customers whom agents take out of flows
	phones    *phone.Switchboard
	tickets   *ticket.Desk
	surveys   *survey.Desk
	hooks     *hook.Desk
	desk      *desk.Desk
	overload  *overload
	addressOf visitorAddresses
	chatDoor  *webchat.Door
	proxies   []netip.Prefix // whose X-Forwarded-For is believed
	doors     []*door

	draining atomic.Bool
	mapped   atomic.Bool            // the entries in use are those of the file
	misread  atomic.Pointer[string] // why they are not; nil = they are
	// remapAgain: look at the file again, since a flow that was missing may be there now.
	remapAgain atomic.Bool
	refused    lastTold       // the flows' mistakes
	helpers    sync.WaitGroup // goroutines of this package
	stop       context.CancelFunc
}

// sounds are clips that every call shares.
type sounds struct{ filler, beep, music, ringback, busy []*media.Clip }

// New makes every part and opens the store; nothing listens yet. What is wrong with
// the configuration, the flows or the store is told in one error, code invalid.
func New(ctx context.Context, o Options) (_ *App, err error) {
	a := &App{o: o, cfg: o.Config.Config, log: o.Log, now: time.Now, random: rand.Reader, registry: prometheus.NewRegistry()}
	a.tally = tally.New(a.now)
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.metrics = newMetrics(a.registry)
	a.overload = newOverload(a.cfg.Limits, a.now)
	a.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tandem_calls_allowed_per_second", Help: "New calls let in while something is scarce; 0 = any number.",
	}, a.overload.allowed))
	defer func() {
		if err != nil {
			err = errors.Join(err, a.release())
		}
	}()
	broken, err := a.readFlows()
	if err != nil {
		return nil, err
	}
	if err := a.openStore(ctx); err != nil {
		return nil, err
	}
	if err := a.keepFlows(ctx, broken); err != nil {
		return nil, err
	}
	if err := a.makeSpeech(ctx); err != nil {
		return nil, err
	}
	if err := a.makeMedia(); err != nil {
		return nil, err
	}
	a.fetch = fetch.New(a.cfg.Flows.HTTPAllow)
	if err := a.makeCaps(ctx); err != nil {
		return nil, err
	}
	if err := a.makeSIP(); err != nil {
		return nil, err
	}
	if err := errors.Join(a.makeChatDoor(), a.makePages()); err != nil {
		return nil, err
	}
	if err := a.makeLine(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(a.makePhones(), a.makeAsk()); err != nil {
		return nil, err
	}
	if err := a.makeFaces(); err != nil {
		return nil, err
	}
	if err := a.makeDesk(); err != nil {
		return nil, err
	}
	return a, a.recover(ctx)
}

// openStore opens the database with what lies in it, and the folder of objects.
func (a *App) openStore(ctx context.Context) error {
	s := a.cfg.Store
	if err := config.CheckKeyPlace(s); err != nil {
		return err
	}
	master, err := config.LoadMasterKey(ctx, s)
	if err != nil {
		return err
	}
	keys, err := store.NewKeyring(master)
	if err != nil {
		return fmt.Errorf("the master key: %w", err)
	}
	a.faces.sign = keys.Evidence()
	for key, file := range map[string]config.Path{"store.path": s.Path, "store.checkpoints": s.Checkpoints} {
		if err := os.MkdirAll(filepath.Dir(string(file)), 0o700); err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "making the folder of %s: %w; make it for the server's user, or set %s", key, err, key)
		}
	}
	if a.blobs, err = blob.Open(string(s.Blobs), a.now, a.random); err != nil {
		return err
	}
	if a.hooks, err = hook.New(hook.Options{Keys: keys, Private: a.cfg.Webhooks.Networks(), Now: a.now, Random: a.random, Log: a.log}); err != nil {
		return err
	}
	a.store, err = sqlite.Open(ctx, sqlite.Options{
		Letters: a.hooks.Letters, Path: string(s.Path), Checkpoints: string(s.Checkpoints), Keys: keys, Blobs: a.blobs, Log: a.log, Panicked: a.reporter("store"), Fault: a.o.fault,
	})
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	if err := a.hooks.Open(ctx, a.store); err != nil {
		return fmt.Errorf("reading the webhooks: %w", err)
	}
	if err := a.readProxies(); err != nil {
		return err
	}
	if err := a.makeText(keys); err != nil {
		return err
	}
	if err := a.makeStaff(keys); err != nil {
		return err
	}
	a.makeStudio()
	return nil
}

// makeSpeech finds the engines and the recordings.
func (a *App) makeSpeech(ctx context.Context) error {
	cfg := speech.Config{Engine: a.cfg.Speech.Engine, Languages: map[string]speech.Choice{}}
	for lang, v := range a.cfg.Speech.Languages {
		cfg.Languages[lang] = speech.Choice{
			Engine: v.Engine, Command: v.Command, URL: v.URL, Key: v.Key.Reveal(), Model: v.Model, Voice: v.Voice, Timeout: v.Timeout,
		}
	}
	engines, err := speech.Find(ctx, cfg)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "speech: %w", err)
	}
	a.speech, err = prompt.New(prompt.Options{
		Dir: os.DirFS(string(a.cfg.Flows.Dir)), Base: flows.Sample(), Synth: engines, CacheDir: string(a.cfg.Speech.Cache), Log: a.log,
		Panicked: a.reporter("prompt"),
	})
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "prompts: %w", err)
	}
	a.sounds = sounds{
		filler: []*media.Clip{a.speech.Filler()}, beep: []*media.Clip{a.speech.Beep()}, music: []*media.Clip{a.speech.Music()},
		ringback: []*media.Clip{media.Tone(425, 1000), media.Tone(0, 4000)},
		busy:     []*media.Clip{media.Tone(425, 350), media.Tone(0, 350)},
	}
	return nil
}

func (a *App) makeMedia() (err error) {
	m := a.cfg.Media
	if a.addresses, err = newAddresses(m.Address, m.PublicAddress, a.cfg.SIP.Listen[0]); err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "%w", err)
	}
	a.media, err = media.NewEngine(media.Config{
		Address: a.addresses.bound, Ports: m.Ports, Timeout: orNever(m.RTPTimeout), Log: a.log, Registerer: a.registry,
	})
	return err
}

// orNever is a time limit of which the configuration's 0 means none, for a part that
// takes 0 for its default.
func orNever(d time.Duration) time.Duration {
	if d == 0 {
		return math.MaxInt64
	}
	return d
}

// makeCaps counts the calls out of the last day again.
func (a *App) makeCaps(ctx context.Context) error {
	o := a.cfg.Outbound
	policy := caps.Policy{
		AtOnce: o.CallsAtOnce, PerHour: o.CallsPerHour, PerDay: o.CallsPerDay, PerNumberPerHour: o.PerNumberPerHour,
		PerNumberPerDay: o.PerNumberPerDay, MinutesPerDay: o.MinutesPerDay, MaxMinutes: o.MaxMinutes, MoneyPerDay: o.MoneyPerDay,
	}
	if len(o.Prices) > 0 || o.MoneyPerDay > 0 {
		policy.Price = o.Price
	}
	past, err := a.dialledSince(ctx, a.now().Add(-24*time.Hour))
	if err != nil {
		return fmt.Errorf("counting the calls out of the last day: %w", err)
	}
	a.caps = caps.NewLedger(policy, past)
	return nil
}

// openAudio opens the audio of a leg whose signalling comes from host.
func (a *App) openAudio(host netip.Addr) (*leg.Audio, error) {
	var b [8]byte
	_, _ = io.ReadFull(a.random, b[:]) // crypto/rand does not fail
	return leg.NewAudio(a.media, a.addresses.toward(host), host, binary.BigEndian.Uint64(b[:])>>1)
}

// Abandon closes an App whose Start failed.
func (a *App) Abandon() error { return a.release() }

// release closes what New has made, the last first.
func (a *App) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	errs := []error{a.closeDesk(ctx), a.closePages(ctx)}
	if a.reach != nil {
		a.reach.Close()
	}
	if a.identity != nil {
		a.identity.Close()
	}
	if a.texts != nil {
		a.texts.Close()
	}
	a.closeLine()
	if a.hooks != nil {
		a.hooks.Close()
	}
	if a.media != nil {
		errs = append(errs, a.media.Close())
	}
	if a.speech != nil {
		a.speech.Close()
	}
	if a.fetch != nil {
		a.fetch.Close()
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(errs...)
}
