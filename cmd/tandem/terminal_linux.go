package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"tandem"
)

// canHide reports whether f is a terminal, on which what is typed can be hidden.
func canHide(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// readHidden asks for a line that does not appear as it is typed.
func readHidden(f *os.File, to io.Writer, question string) (line string, err error) {
	fd := int(f.Fd())
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return "", fmt.Errorf("asking the terminal: %w", err)
	}
	hidden := *old
	hidden.Lflag &^= unix.ECHO
	hidden.Lflag |= unix.ICANON | unix.ISIG
	hidden.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return "", fmt.Errorf("hiding what is typed: %w", err)
	}
	defer func() { err = errors.Join(err, unix.IoctlSetTermios(fd, unix.TCSETS, old)) }()
	fmt.Fprint(to, question)
	defer fmt.Fprintln(to)
	var typed []byte
	for b := make([]byte, 1); len(typed) < passwordBytes; {
		n, err := f.Read(b)
		if err != nil || n == 0 {
			return "", tandem.Errorf(tandem.CodeInvalid, "no password was typed; nothing is changed")
		}
		if b[0] == '\n' {
			return string(typed), nil
		}
		typed = append(typed, b[0])
	}
	return "", tandem.Errorf(tandem.CodeInvalid, "what was typed is too long for a password")
}
