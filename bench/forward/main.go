// Command forward measures what it costs to forward pictures packet by packet, beside a bare
// pion forwarder of the same packets: CPU for each second of a forwarded stream, and the
// time from a page's sending to another's receiving.
//
//	go run ./bench/forward [-cameras 6] [-viewers 2] [-seconds 10] [-rounds 3]
//
// It starts itself as the server, a process with one of the two forwarders and nothing
// else, and plays the pages itself by WebRTC with DTLS and SRTP. Bare is pion with its
// default interceptors (NACK, reports, transport-wide feedback), a socket for each page
// and each track written to every viewer as it came. Nothing leaves this machine, and no
// figure is judged.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	cameras := flag.Int("cameras", 6, "pages that show a camera")
	viewers := flag.Int("viewers", 2, "pages that see each camera")
	seconds := flag.Int("seconds", 10, "seconds of measuring in each round")
	rounds := flag.Int("rounds", 3, "rounds of each, by turns")
	flag.Parse()
	var err error
	switch {
	case flag.Arg(0) == "serve":
		err = serve(flag.Arg(1), os.Stdin, os.Stdout)
	case *cameras < 1 || *viewers < 1 || *seconds < 2 || *rounds < 1:
		err = errors.New("-cameras, -viewers and -rounds are at least 1, -seconds at least 2")
	default:
		err = measure(os.Stdout, *cameras, *viewers, time.Duration(*seconds)*time.Second, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "forward:", err)
		os.Exit(1)
	}
}

// order is what the server is told to do, a line of JSON each.
type order struct {
	Camera string `json:"camera,omitempty"` // connect a page that offers to show its camera
	Viewer string `json:"viewer,omitempty"` // connect one that offers to see
	Sees   int    `json:"sees"`             // the camera that a viewer sees, by number
}

// reply is what came of it.
type reply struct {
	Answer string `json:"answer,omitempty"`
	Error  string `json:"error,omitempty"`
}

// child is the server's process.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(kind string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, "serve", kind)}
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, c.cmd.Start()
}

// stop ends the server: its input is over.
func (c *child) stop() error { return errors.Join(c.in.Close(), c.cmd.Wait()) }

func (c *child) do(o order) (r reply, err error) {
	if err := json.NewEncoder(c.in).Encode(o); err != nil {
		return r, err
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return r, fmt.Errorf("the server has ended: %w", err)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	return r, nil
}

// cpu is the time the threads of the server's process have run.
func (c *child) cpu() (time.Duration, error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var all time.Duration
	for _, t := range threads {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", c.cmd.Process.Pid, t.Name()))
		if err != nil {
			continue // it has ended
		}
		ran, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return 0, err
		}
		all += time.Duration(n)
	}
	return all, nil
}

// figures are those of one round.
type figures struct {
	cpu       time.Duration // for a second of one forwarded stream
	delivered float64       // share of the packets that were to come
	delay     []time.Duration
}

// measure prints a row for each forwarder.
func measure(to io.Writer, cameras, viewers int, last time.Duration, rounds int) error {
	all, kinds := map[string][]figures{}, []string{"bare", "tandem"}
	for range rounds {
		for _, kind := range kinds {
			f, err := once(kind, cameras, viewers, last)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			all[kind] = append(all[kind], f)
		}
		slices.Reverse(kinds)
	}
	slices.Sort(kinds)
	fmt.Fprintf(to, "== pictures forwarded: %d cameras, %d viewers each, %d packets a second of %d bytes each, %d rounds of %v\n",
		cameras, viewers, frames*perFrame, packetBytes, rounds, last)
	fmt.Fprintf(to, "%-8s %14s %8s %8s %10s %10s\n", "what", "cpu_ms/stream", "x_bare", "deliv%", "delay_p50", "delay_p99")
	for _, kind := range kinds {
		var delay []time.Duration
		delivered := 1.0
		for _, f := range all[kind] {
			delay = append(delay, f.delay...)
			delivered = min(delivered, f.delivered)
		}
		slices.Sort(delay)
		if len(delay) == 0 {
			return errors.New("nothing came")
		}
		var cpu, ratio []float64
		for i, f := range all[kind] {
			cpu = append(cpu, f.cpu.Seconds()*1000)
			ratio = append(ratio, float64(f.cpu)/float64(all["bare"][i].cpu))
		}
		fmt.Fprintf(to, "%-8s %14.2f %8.2f %8.1f %9.2fms %9.2fms\n", kind, middle(cpu), middle(ratio), delivered*100,
			delay[len(delay)/2].Seconds()*1000, delay[len(delay)*99/100].Seconds()*1000)
	}
	return nil
}

// middle is the median of what the rounds gave.
func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// once measures one forwarder.
func once(kind string, cameras, viewers int, last time.Duration) (f figures, err error) {
	c, err := start(kind)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	var shows []*camera
	var sees []*viewer
	defer func() {
		for _, p := range shows {
			p.close()
		}
		for _, p := range sees {
			p.close()
		}
	}()
	for n := range cameras {
		p, err := newCamera(c, kind)
		if err != nil {
			return f, err
		}
		shows = append(shows, p)
		for range viewers {
			p, err := newViewer(c, kind, n)
			if err != nil {
				return f, err
			}
			sees = append(sees, p)
		}
	}
	stop := show(shows)
	defer stop()
	for _, p := range sees {
		if err := p.wait(); err != nil {
			return f, err
		}
	}
	time.Sleep(2 * time.Second) // the figures are of what lasts, not of how it begins
	before := 0
	for _, p := range sees {
		before += p.take(nil)
	}
	sent, begun := sentBy(shows), time.Now()
	cpu, err := c.cpu()
	if err != nil {
		return f, err
	}
	time.Sleep(last)
	took := time.Since(begun)
	after, err := c.cpu()
	if err != nil {
		return f, err
	}
	due := (sentBy(shows) - sent) * viewers
	got := -before
	for _, p := range sees {
		got += p.take(&f.delay)
	}
	f.cpu = time.Duration(float64(after-cpu) / took.Seconds() / float64(cameras*viewers))
	f.delivered = min(1, float64(got)/float64(due))
	return f, nil
}
