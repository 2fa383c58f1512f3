package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"tandem/store"
)

// takeLock holds a lock file for as long as it is open: the kernel lets go of it when
// the process ends, however it ends.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock file: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("the database is %w, which holds %s", store.ErrInUse, path)
	}
	return nil, fmt.Errorf("locking %s: %w", path, err)
}
