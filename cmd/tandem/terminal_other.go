//go:build !linux

package main

import (
	"errors"
	"io"
	"os"
)

// canHide: only on Linux is it known how; elsewhere a password is read from a file or
// drawn.
func canHide(*os.File) bool { return false }

func readHidden(*os.File, io.Writer, string) (string, error) {
	return "", errors.New("this system's terminal cannot be asked; use --password-file")
}
