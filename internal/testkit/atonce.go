package testkit

import (
	"flag"
	"strconv"
)

// AtOnce has a package run n of its parallel tests together unless -parallel says
// otherwise: tests that wait far more than they work need no CPU each. It is for TestMain.
func AtOnce(n int) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if asked {
		return
	}
	if err := flag.Set("test.parallel", strconv.Itoa(n)); err != nil {
		panic(err)
	}
}
