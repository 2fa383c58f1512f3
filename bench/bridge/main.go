// Command bridge measures what it costs to let a phone and a browser talk, beside two
// phones: the server's CPU for each second of a call, and what it adds to the way of the
// sound, by a tone.
//
//	go run ./bench/bridge [-calls 40] [-seconds 10]
//
// It starts itself as the server, a process with the media engine and the WebRTC server
// and nothing else, and plays the phones (sockets) and the browsers (WebRTC peers
// with DTLS and SRTP) itself. Nothing leaves this machine, and no figure is judged.
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
	calls := flag.Int("calls", 40, "calls at once")
	seconds := flag.Int("seconds", 10, "seconds of measuring for each row")
	flag.Parse()
	var err error
	switch {
	case flag.Arg(0) == "serve":
		err = serve(os.Stdin, os.Stdout)
	case *calls < 1 || *seconds < 2:
		err = errors.New("-calls is at least 1, -seconds at least 2")
	default:
		err = measure(os.Stdout, *calls, time.Duration(*seconds)*time.Second)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bridge:", err)
		os.Exit(1)
	}
}

// order is what the server is told to do, a line of JSON each.
type order struct {
	Phone string `json:"phone,omitempty"` // open a stream for the phone at this address
	Offer string `json:"offer,omitempty"` // open one for the browser that offers this SDP
	Join  []int  `json:"join,omitempty"`  // two streams by number, directly
	Mix   []int  `json:"mix,omitempty"`   // let them all hear each other
	Clear bool   `json:"clear,omitempty"` // close everything
}

// reply is what came of it.
type reply struct {
	Stream int    `json:"stream"`
	Port   int    `json:"port,omitempty"`
	Answer string `json:"answer,omitempty"`
	Error  string `json:"error,omitempty"`
}

// child is the server's process.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start() (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, "serve")}
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

// cpu is the time the server's process has used, user and system.
func (c *child) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("/proc tells no times")
	}
	ticks := 0
	for _, f := range fields[11:13] { // utime and stime, proc(5)
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	const tick = 10 * time.Millisecond // 100 Hz, whatever the kernel counts in
	return time.Duration(ticks) * tick, nil
}

// scene is one row: what the two ends of a call are, and how they are tied.
type scene struct {
	name         string
	first, other func(*child) (*far, error)
	tie          func(c *child, a, b *far) error
}

func joined(c *child, a, b *far) error {
	_, err := c.do(order{Join: []int{a.stream, b.stream}})
	return err
}

// mixed adds a third, who is silent: with two alone packets would pass straight.
func mixed(c *child, a, b *far) error {
	third, err := newPhone(c)
	if err != nil {
		return err
	}
	a.beside = third
	_, err = c.do(order{Mix: []int{a.stream, b.stream, third.stream}})
	return err
}

// measure prints a row for each scene.
func measure(w io.Writer, calls int, during time.Duration) (err error) {
	c, err := start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	fmt.Fprintf(w, "%d calls; cpu: the server's, in ms for each second of a call; delay: from sending to receiving, in ms\n", calls)
	fmt.Fprintf(w, "%-28s %8s %8s %8s %8s %8s %7s\n", "", "cpu", "there", "p99", "back", "p99", "tones")
	for _, s := range []scene{
		{"two phones", newPhone, newPhone, joined},
		{"phone and browser", newPhone, newBrowser, joined},
		{"two phones, mixed", newPhone, newPhone, mixed},
		{"phone and browser, mixed", newPhone, newBrowser, mixed},
	} {
		if err := s.measure(w, c, calls, during); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// settle is how long a scene runs before it is measured: connections and buffers are up.
const settle = 3 * time.Second

func (s scene) measure(w io.Writer, c *child, calls int, during time.Duration) error {
	var ends []*far
	defer func() {
		for _, f := range ends {
			f.close()
		}
	}()
	for range calls {
		a, err := s.first(c)
		if err != nil {
			return err
		}
		ends = append(ends, a)
		b, err := s.other(c)
		if err != nil {
			return err
		}
		ends = append(ends, b)
		a.other, b.other = b, a
		if err := s.tie(c, a, b); err != nil {
			return err
		}
	}
	stop := speak(ends)
	time.Sleep(settle)
	for _, f := range ends {
		f.forget()
	}
	before, err := c.cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	time.Sleep(during)
	after, err := c.cpu()
	took := time.Since(began)
	stop()
	if err != nil {
		return err
	}
	var there, back []time.Duration
	for i, f := range ends {
		if i%2 == 1 {
			there = append(there, f.delays()...)
		} else {
			back = append(back, f.delays()...)
		}
	}
	fmt.Fprintf(w, "%-28s %8.3f %8.2f %8.2f %8.2f %8.2f %7d\n", s.name,
		float64((after-before).Microseconds())/1000/took.Seconds()/float64(calls),
		share(there, 50), share(there, 99), share(back, 50), share(back, 99), len(there)+len(back))
	_, err = c.do(order{Clear: true})
	return err
}

// share is a percentile in ms.
func share(d []time.Duration, percent int) float64 {
	if len(d) == 0 {
		return -1
	}
	slices.Sort(d)
	return float64(d[min(len(d)-1, len(d)*percent/100)].Microseconds()) / 1000
}
