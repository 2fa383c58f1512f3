package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/bridge/leg"
	"tandem/media"
	"tandem/media/codec"
	"tandem/media/prompt"
	"tandem/media/wav"
	"tandem/sip"
)

const (
	keyPress = 120 * time.Millisecond // of a key
	keyGap   = 120 * time.Millisecond // between keys
	keyPause = 2 * time.Second        // a comma, as on other phones
	// quietTime is how long the other side may send no audio before the call is ended.
	quietTime = 15 * time.Second
	// waitTime is how long nothing comes back to a call before that is said.
	waitTime = 5 * time.Second
	// refuseTime is how long a refusal of the other machine is waited for.
	refuseTime = 150 * time.Millisecond
	// hangUpTime bounds a goodbye that nobody answers.
	hangUpTime = 5 * time.Second
)

func callCommand() *cli.Command {
	return &cli.Command{
		Name:      "call",
		Usage:     "a small phone: dial an address, send keys, save what was heard",
		ArgsUsage: "URI",
		Description: "tandem call sip:95599@127.0.0.1:5060 --keys \"1,,1\" --save heard.wav\n" +
			"tandem call --answer 127.0.0.1:5090\n\nIn --keys a comma waits two seconds; --play begins once all keys are pressed, so commas at\n" +
			"the end let a voicemail's prompt and tone pass. Ctrl-C hangs up. The exit status is 0 if\n" +
			"the call was answered and 1 if it was not.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "answer", Usage: "do not dial: wait at `HOST:PORT` and answer one call"},
			&cli.StringFlag{Name: "keys", Usage: "`KEYS` to press once answered: 0-9 * # A-D, a comma waits 2s"},
			&cli.StringFlag{Name: "play", Usage: "WAV `FILE` to say, once, after the keys; else silence"},
			&cli.StringFlag{Name: "save", Usage: "WAV `FILE` for what is heard"},
			&cli.DurationFlag{Name: "for", Value: 2 * time.Minute, Usage: "ring no longer than this `TIME`, and hang up this long after the answer"},
			&cli.StringFlag{Name: "from", Value: "caller", Usage: "`NUMBER` to show"},
			&cli.StringFlag{Name: "user", Usage: "digest `USER` for entries that ask who calls"},
			&cli.StringFlag{Name: "password-file", Usage: "`FILE` with the user's password"},
		},
		Action: callAction,
	}
}

// phone is one end of one call.
type phone struct {
	c      *cli.Context
	out    io.Writer
	engine *media.Engine
	sip    *sip.Server
	words  []*media.Clip // what it says
	heard  heard
	quit   context.Context         // ends when the phone is to hang up
	busy   atomic.Bool             // it has answered: one call is all it takes
	over   atomic.Bool             // its own time ran out (--for)
	ended  chan tandem.Termination // of an answered call
}

// heard collects what is heard; the recording's goroutine writes it.
type heard struct {
	mu   sync.Mutex
	data []byte
	law  codec.Law
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.data = append(h.data, p...)
	return len(p), nil
}

func callAction(c *cli.Context) (err error) {
	answer := c.String("answer")
	if (answer == "") == (c.NArg() == 0) || c.NArg() > 1 {
		return tandem.Errorf(tandem.CodeInvalid, "name one address to dial, such as sip:95599@127.0.0.1:5060, or wait for a call with --answer HOST:PORT")
	}
	if err := checkKeys(c.String("keys")); err != nil {
		return err
	}
	if c.Duration("for") <= 0 {
		return tandem.Errorf(tandem.CodeInvalid, "--for wants a time such as 50s")
	}
	if err := checkSave(c.String("save")); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &phone{c: c, out: c.App.Writer, quit: ctx, ended: make(chan tandem.Termination, 1)}
	if file := c.String("play"); file != "" {
		if p.words, err = readWords(file); err != nil {
			return err
		}
	}
	if err := p.open(ctx, answer, c.Args().First()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	var t tandem.Termination
	if answer != "" {
		t, err = p.wait(ctx)
	} else {
		t, err = p.dial(ctx, c.Args().First())
	}
	if err != nil {
		return err
	}
	if p.over.Load() && t.By == tandem.BySystem {
		fmt.Fprintln(p.out, "ended: hangup by us (--for)")
	} else {
		fmt.Fprintf(p.out, "ended: %s\n", t)
	}
	return p.save(c.String("save"))
}

func checkKeys(keys string) error {
	for _, k := range keys {
		if !strings.ContainsRune("0123456789*#ABCDabcd, ", k) {
			return tandem.Errorf(tandem.CodeInvalid, "--keys: %q is no key; use 0-9 * # A-D, and a comma for a pause", k)
		}
	}
	return nil
}

// checkSave looks, before anybody is called, whether what is heard can be kept.
func checkSave(file string) error {
	if file == "" {
		return nil
	}
	folder := filepath.Dir(file)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return tandem.Errorf(tandem.CodeInvalid, "--save %s: there is no folder %s", file, folder)
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return tandem.Errorf(tandem.CodeInvalid, "--save %s is a folder; name a file in it", file)
	}
	return nil
}

func readWords(file string) ([]*media.Clip, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, tandem.Errorf(tandem.CodeInvalid, "--play: %w", err)
	}
	defer f.Close()
	audio, err := wav.Read(f)
	if err != nil {
		return nil, tandem.Errorf(tandem.CodeInvalid, "--play %s: %w", file, err)
	}
	return []*media.Clip{media.NewClip(prompt.Resample(audio.PCM, audio.Rate, codec.Rate))}, nil
}

// open makes the phone's media and signalling.
func (p *phone) open(ctx context.Context, answer, target string) (err error) {
	log := slog.New(slog.NewTextHandler(p.c.App.ErrWriter, &slog.HandlerOptions{Level: slog.LevelWarn}))
	local := answer
	if local == "" {
		local = net.JoinHostPort(localTo(target).String(), "0")
	}
	host, _, err := net.SplitHostPort(local)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "--answer: %w", err)
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "--answer: %w", err)
	}
	if p.engine, err = media.NewEngine(media.Config{Address: addr, Shards: 1, Timeout: quietTime, Log: log}); err != nil {
		return fmt.Errorf("opening audio: %w", err)
	}
	cfg := sip.Config{Listen: []string{"udp://" + local, "tcp://" + local}, Log: log, UserAgent: "Tandem-Call/" + version()}
	if user := p.c.String("user"); user != "" {
		password, err := os.ReadFile(p.c.String("password-file"))
		if err != nil {
			return errors.Join(tandem.Errorf(tandem.CodeInvalid, "--password-file: %w", err), p.engine.Close())
		}
		cfg.Trunks = []sip.Trunk{{Name: "called", Address: target, User: user, Password: strings.TrimSpace(string(password)), Realm: "tandem"}}
	}
	if p.sip, err = sip.NewServer(cfg, p); err == nil {
		err = p.sip.Start(ctx)
	}
	if err != nil {
		return errors.Join(tandem.Errorf(tandem.CodeInvalid, "%w", err), p.engine.Close())
	}
	return nil
}

// hostPort is where a SIP URI leads.
func hostPort(uri string) string {
	at := strings.TrimPrefix(uri, "sip:")
	if _, host, ok := strings.Cut(at, "@"); ok {
		at = host
	}
	at, _, _ = strings.Cut(at, ";")
	if _, _, err := net.SplitHostPort(at); err != nil {
		at = net.JoinHostPort(strings.Trim(at, "[]"), "5060")
	}
	return at
}

// deaf reports whether the machine at a UDP address says that nothing listens there
// (ICMP port unreachable). What is sent is a keep-alive, which asks for no answer.
func deaf(addr string) bool {
	c, err := net.Dial("udp", addr)
	if err != nil {
		return false // dialling will say why
	}
	defer c.Close()
	_, _ = c.Write([]byte("\r\n\r\n"))
	_ = c.SetReadDeadline(time.Now().Add(refuseTime))
	_, err = c.Read(make([]byte, 1))
	return errors.Is(err, syscall.ECONNREFUSED)
}

// localTo is the address this machine has toward the host of a SIP URI.
func localTo(uri string) netip.Addr {
	if c, err := net.Dial("udp", hostPort(uri)); err == nil { // sends nothing: it only asks for the route
		defer c.Close()
		return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

func (p *phone) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(p.sip.Close(ctx), p.engine.Close())
}

func (p *phone) audio(host netip.Addr, local netip.Addr) (*leg.Audio, error) {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return leg.NewAudio(p.engine, local, host, binary.BigEndian.Uint64(b[:])>>1)
}

// dial calls and talks until somebody hangs up.
func (p *phone) dial(ctx context.Context, target string) (tandem.Termination, error) {
	at := hostPort(target)
	quiet := time.AfterFunc(waitTime, func() { fmt.Fprintf(p.out, "nothing comes back from %s yet; Ctrl-C gives up\n", at) })
	defer quiet.Stop()
	d := sip.Dial{To: target, From: p.c.String("from"), Ring: p.c.Duration("for"), Early: func(code int) {
		quiet.Stop()
		fmt.Fprintf(p.out, "ringing (%d)\n", code)
	}}
	fmt.Fprintf(p.out, "dialling %s\n", target)
	if !strings.Contains(strings.ToLower(target), "transport=tcp") && deaf(at) {
		return tandem.Termination{}, tandem.Errorf(tandem.CodeNotFound, "not answered: nobody answers at %s", at)
	}
	if p.c.String("user") != "" {
		user, _, _ := strings.Cut(strings.TrimPrefix(target, "sip:"), "@")
		d.To, d.Trunk = user, "called"
	}
	audio, err := p.audio(p.sip.Host(ctx, d), localTo(target))
	if err != nil {
		return tandem.Termination{}, err
	}
	defer audio.Stream.Close()
	d.Media = audio
	call, err := p.sip.Dial(ctx, d)
	quiet.Stop()
	if failed := (*sip.DialError)(nil); errors.As(err, &failed) {
		if failed.Termination.Reason == tandem.ReasonTransport {
			return tandem.Termination{}, tandem.Errorf(tandem.CodeNotFound, "not answered: nobody answers at %s (%v)", at, failed.Err)
		}
		return tandem.Termination{}, tandem.Errorf(tandem.CodeNotFound, "not answered: %s", failed.Termination)
	}
	if err != nil {
		return tandem.Termination{}, tandem.Errorf(tandem.CodeInvalid, "%w", err)
	}
	return p.talk(ctx, call, audio), nil
}

// Route lets any call in: whoever named an address to --answer waits for one.
func (p *phone) Route(string, netip.AddrPort, string) sip.Route {
	return sip.Route{Found: p.c.String("answer") != ""}
}

// Call answers the first call; any other is told that the phone is busy.
func (p *phone) Call(ctx context.Context, call *sip.Call) tandem.Termination {
	if !p.busy.CompareAndSwap(false, true) {
		return tandem.Terminate(tandem.BySystem, tandem.ReasonBusy)
	}
	here := netip.MustParseAddrPort(strings.TrimPrefix(p.sip.Addrs()[0], "udp://")).Addr()
	audio, err := p.audio(call.Source.Addr(), here)
	if err != nil {
		p.busy.Store(false)
		return tandem.Terminate(tandem.BySystem, tandem.ReasonOverload)
	}
	defer audio.Stream.Close()
	fmt.Fprintf(p.out, "a call from %s\n", call.From.User)
	if err := call.Answer(ctx, audio); err != nil {
		p.busy.Store(false) // the next one may do better
		return tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia)
	}
	t := p.talk(ctx, call, audio)
	p.ended <- t
	return t
}

// wait is until the answered call has ended.
func (p *phone) wait(ctx context.Context) (tandem.Termination, error) {
	fmt.Fprintf(p.out, "waiting for a call at %s\n", strings.Join(p.sip.Addrs(), " "))
	select {
	case t := <-p.ended:
		return t, nil
	case <-ctx.Done():
	}
	if p.busy.Load() { // talk hangs up
		select {
		case t := <-p.ended:
			return t, nil
		case <-time.After(hangUpTime):
		}
	}
	return tandem.Termination{}, tandem.Errorf(tandem.CodeNotFound, "nobody called")
}

// talk sends what is to be sent and listens until the call ends.
func (p *phone) talk(ctx context.Context, call *sip.Call, audio *leg.Audio) tandem.Termination {
	fmt.Fprintln(p.out, "answered; Ctrl-C hangs up")
	rec := audio.Stream.Record(&p.heard, false)
	defer func() {
		if _, err := rec.Stop(); err != nil {
			fmt.Fprintf(p.c.App.ErrWriter, "warning: not all that was heard is saved: %v\n", err)
		}
		p.heard.law = rec.Law()
	}()
	keys := p.c.String("keys")
	pressing := keys != ""
	if !pressing {
		p.speak(audio.Stream)
	}
	limit := time.NewTimer(p.c.Duration("for"))
	defer limit.Stop()
	next := time.NewTimer(time.Second) // a moment to be connected
	defer next.Stop()
	for {
		select {
		case <-next.C:
			if keys != "" {
				next.Reset(p.press(audio.Stream, keys[0]))
				keys = keys[1:]
			} else if pressing {
				pressing = false
				p.speak(audio.Stream)
			}
		case e, open := <-audio.Stream.Events():
			if !open {
				fmt.Fprintln(p.c.App.ErrWriter, "warning: a fault of ours ended the audio")
				return p.hangUp(call)
			}
			switch e := e.(type) {
			case media.Key:
				fmt.Fprintf(p.out, "heard key %c\n", e.Digit)
			case media.Silent:
				fmt.Fprintf(p.out, "hung up: nothing was heard for %v\n", quietTime)
				return p.hangUp(call)
			}
		case <-call.Done():
			return call.Termination()
		case <-limit.C:
			fmt.Fprintf(p.out, "hung up after %v (--for)\n", p.c.Duration("for"))
			p.over.Store(true)
			return p.hangUp(call)
		case <-ctx.Done():
			return p.hangUp(call)
		case <-p.quit.Done():
			return p.hangUp(call)
		}
	}
}

// speak says the words there are.
func (p *phone) speak(s *media.Stream) {
	if p.words == nil {
		return
	}
	if err := s.Play(media.Item{ID: 1, Clips: p.words}); err != nil {
		fmt.Fprintf(p.c.App.ErrWriter, "warning: %v\n", err)
	}
}

func (p *phone) hangUp(call *sip.Call) tandem.Termination {
	t := tandem.Terminate(tandem.BySystem, tandem.ReasonHangup)
	call.Hangup(context.Background(), t)
	return call.Termination()
}

// press sends one key and returns when the next is due.
func (p *phone) press(s *media.Stream, key byte) time.Duration {
	switch key {
	case ',':
		return keyPause
	case ' ':
		return 0
	}
	if err := s.SendKey(key, int(keyPress.Milliseconds())); err != nil {
		fmt.Fprintf(p.c.App.ErrWriter, "warning: key not sent: %v\n", err)
	}
	return keyPress + keyGap
}

// save writes what was heard.
func (p *phone) save(file string) error {
	if file == "" {
		return nil
	}
	p.heard.mu.Lock()
	defer p.heard.mu.Unlock()
	pcm := make([]int16, len(p.heard.data))
	p.heard.law.Decode(pcm, p.heard.data)
	f, err := os.Create(file)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "--save: %w", err)
	}
	if err := errors.Join(wav.Write(f, wav.Audio{Rate: codec.Rate, PCM: pcm}), f.Close()); err != nil {
		return tandem.Errorf(tandem.CodeInternal, "--save %s: %w", file, err)
	}
	fmt.Fprintf(p.out, "saved %.1f s to %s\n", float64(len(pcm))/codec.Rate, file)
	return nil
}
