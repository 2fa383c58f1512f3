package testkit

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// child is a running program. done is closed once it has been waited for.
type child struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of Wait; read after done
}

// start runs a program; who starts it sees to its end.
func start(cmd *exec.Cmd) (*child, error) {
	// Should the test process die, its children do too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, done: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// run starts a program that is ended with the test.
func run(t testing.TB, name string, cmd *exec.Cmd, log *lockedBuffer) *child {
	t.Helper()
	c, err := start(cmd)
	if err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := c.end(3 * time.Second); err != nil {
			t.Errorf("ending %s: %v\n%s", name, err, log)
		}
	})
	return c
}

// end asks the program to stop and kills it when it has not after a while.
func (c *child) end(grace time.Duration) error {
	select {
	case <-c.done:
		return nil
	default:
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-c.done:
		return nil
	case <-time.After(grace):
	}
	return c.kill()
}

// kill ends the program at once, by SIGKILL, and waits until it is gone.
func (c *child) kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-c.done
	return nil
}
