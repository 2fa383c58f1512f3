package interop

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem/internal/testkit"
)

// programDir holds the program while the tests run; TestMain makes and drops it.
var programDir string

// atOnce is how many tests run together unless -parallel says otherwise: they wait
// far more than they work, so it is no matter of how many CPUs there are.
const atOnce = "8"

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	dir, err := os.MkdirTemp("", "tandem-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	programDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// program builds the server once for all tests, unless INTEROP_PROGRAM names one
// that is built already.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("INTEROP_PROGRAM"); path != "" {
		return filepath.Abs(path)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	return testkit.Build(ctx, programDir)
})

// serve starts a server of the set-up for a test and those below it.
func serve(t *testing.T, settings ...testkit.Setting) *testkit.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIP: needs a server, and -short starts none")
	}
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return testkit.NewServer(t, binary, "interop.yaml", settings...)
}

var callers atomic.Int64

// caller makes a name for a caller that no other test uses, to find its
// interaction in the journal.
func caller() string { return "caller" + strconv.FormatInt(1000+callers.Add(1), 10) + "x" }

// bothTransports runs a test over UDP and TCP, at the same time.
func bothTransports(t *testing.T, test func(t *testing.T, transport string)) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			test(t, transport)
		})
	}
}
