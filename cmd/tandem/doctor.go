package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"tandem/internal/config"
	"tandem/ivr/flow"
)

// verdict is how a check came out.
type verdict string

const (
	ok   verdict = "ok"
	warn verdict = "warn" // it works, but somebody should look
	fail verdict = "fail" // it will not work
)

// finding is one line of the doctor's report.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Found   string  `json:"found"`
	Do      string  `json:"do,omitempty"` // what to do about it; "" for ok
}

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "look whether this machine and configuration can serve, and say what to do",
		Description: "Looks at ports, addresses, gateways, the clock, the disk, limits, speech, the master key, flows, the store, and\n" +
			"who serves the line. Connects to gateways and to identity.service, but sends nothing; asks agents' sip: phones by OPTIONS\n" +
			"whether they are there. Changes nothing but a small test file beside the store and its checkpoints. May run beside the server.",
		Flags:  []cli.Flag{configFlag(), jsonFlag()},
		Action: doctor,
	}
}

func doctor(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	path := configPath(c)
	loaded, err := readConfig(c, path)
	if err != nil {
		return err
	}
	findings := examine(c.Context, loaded)
	if c.Bool("json") {
		err = writeJSON(c.App.Writer, findings)
	} else {
		for _, f := range findings {
			fmt.Fprintf(c.App.Writer, "%-4s  %-18s %s\n", f.Verdict, f.Check, printable(f.Found))
			if f.Do != "" {
				fmt.Fprintf(c.App.Writer, "%26s→ %s\n", "", f.Do)
			}
		}
	}
	if err != nil {
		return err
	}
	for _, f := range findings {
		if f.Verdict == fail {
			return exitStatus(exitInput)
		}
	}
	return nil
}

// patient is what the checks look at.
type patient struct {
	*config.Loaded
	running bool          // a server serves this store now
	library *flow.Library // nil while the flows have errors
}

// examine runs every check, in the order in which a newcomer meets what they are about.
func examine(ctx context.Context, loaded *config.Loaded) []finding {
	p := &patient{Loaded: loaded, running: held(string(loaded.Store.Path) + ".lock")}
	var all []finding
	for _, check := range []func(context.Context, *patient) []finding{
		checkConfiguration, checkFlows, checkEntries, checkSpeech,
		checkListeners, checkMediaPorts, checkPublicAddress, checkBrowsers, checkMicrophone, checkWayIn,
		checkText, checkGateways, checkIdentity, checkLine,
		checkClock, checkFiles, checkDisk, checkKey, checkStore, checkCheckpoints, checkStaff, checkPeople,
	} {
		all = append(all, check(ctx, p)...)
	}
	return all
}

func checkConfiguration(_ context.Context, p *patient) []finding {
	if p.File == "" {
		return []finding{{"configuration", warn, "no file: these are the defaults", "name it with --config FILE; docs/tandem.sample.yaml is one to begin with"}}
	}
	if n := len(p.Warnings); n > 0 {
		return []finding{{"configuration", warn, fmt.Sprintf("%s is right, with %s", p.File, counted(n, "warning")), "see the warnings above"}}
	}
	return []finding{{"configuration", ok, p.File + " is right", ""}}
}

func checkEntries(_ context.Context, p *patient) []finding {
	if len(p.Entries) == 0 {
		return []finding{{"entries", warn, "none: every call is answered 404", "map a number, a site or a number for texts to a flow under entries"}}
	}
	if p.library == nil {
		return nil // the flows' own finding says why
	}
	if lost := p.LostEntries(p.library.Channels()); len(lost) > 0 {
		return []finding{{"entries", fail, strings.ReplaceAll(lost.Error(), "\n", ", "), "lead each to a flow in " + string(p.Flows.Dir) + " that serves its channel"}}
	}
	return []finding{{"entries", ok, counted(len(p.Entries), "entry") + " mapped", ""}}
}

// held reports whether another process holds the lock file.
func held(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return !lockFree(f)
}
