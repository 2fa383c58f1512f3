package config

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"tandem"
)

const (
	keyBytes       = 32
	keyCommandTime = 30 * time.Second // a key service over the network may be slow, not dead
)

// LoadMasterKey gives the 32 bytes that everything stored is sealed under, from
// the file or the command. It refuses a key file that lies in the store's folder,
// where one copied disk would carry both, or that others than its owner can read.
// A key of the wrong form or place is an error of code invalid.
func LoadMasterKey(ctx context.Context, s Store) ([]byte, error) {
	if len(s.MasterKeyCommand) > 0 {
		return keyFromCommand(ctx, s.MasterKeyCommand)
	}
	if err := CheckKeyPlace(s); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(string(s.MasterKey))
	if err != nil {
		return nil, tandem.Errorf(tandem.CodeInvalid, "reading the master key: %w", err)
	}
	key, err := decodeKey(data)
	if err != nil {
		return nil, tandem.Errorf(tandem.CodeInvalid, "master key %s: %w", s.MasterKey, err)
	}
	return key, nil
}

// CheckKeyPlace holds the rules on where the key file lies, without reading it.
func CheckKeyPlace(s Store) error {
	for _, folder := range []string{filepath.Dir(string(s.Path)), string(s.Blobs)} {
		inside, err := within(string(s.MasterKey), folder)
		if err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "placing the master key: %w", err)
		}
		if inside {
			return tandem.Errorf(tandem.CodeInvalid, "master key %s lies in the store's folder %s: who copies the data would have the key too; put it elsewhere and say where in store.master_key", s.MasterKey, folder)
		}
	}
	info, err := os.Stat(string(s.MasterKey))
	if errors.Is(err, fs.ErrNotExist) {
		return tandem.Errorf(tandem.CodeInvalid,
			"there is no master key at %s; make one, and keep a copy where the data is not: (umask 077; mkdir -p %s; head -c 32 /dev/urandom | base64 > %s)",
			s.MasterKey, filepath.Dir(string(s.MasterKey)), s.MasterKey)
	}
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "looking at the master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return tandem.Errorf(tandem.CodeInvalid, "master key %s is no plain file", s.MasterKey)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return tandem.Errorf(tandem.CodeInvalid, "master key %s can be read or changed by others (mode %04o); run: chmod 600 %s", s.MasterKey, mode, s.MasterKey)
	}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Geteuid() && sys.Uid != 0 {
		return tandem.Errorf(tandem.CodeInvalid, "master key %s belongs to another user; give it to the one who runs the server", s.MasterKey)
	}
	return nil
}

// within reports whether file lies in folder or below it, links followed.
func within(file, folder string) (bool, error) {
	file, err := resolve(file)
	if err != nil {
		return false, err
	}
	folder, err = resolve(folder)
	if err != nil {
		return false, err
	}
	rel, err := filepath.Rel(folder, file)
	if err != nil {
		return false, err
	}
	return rel != ".." && !strings.HasPrefix(rel, "../"), nil
}

// resolve follows links as far as the path exists.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) && path != "/" {
		dir, err := resolve(filepath.Dir(path))
		return filepath.Join(dir, filepath.Base(path)), err
	}
	return resolved, err
}

func keyFromCommand(ctx context.Context, command []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, keyCommandTime)
	defer cancel()
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, tandem.Errorf(tandem.CodeInvalid, "store.master_key_command %s failed: %w: %s",
			command[0], err, firstLine(complaint.String()))
	}
	key, err := decodeKey(out)
	if err != nil {
		return nil, tandem.Errorf(tandem.CodeInvalid, "store.master_key_command %s: %w", command[0], err)
	}
	return key, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if len(line) > 200 {
		line = line[:200]
	}
	return line
}

// decodeKey takes 32 plain bytes, 64 hex digits or their base64.
func decodeKey(data []byte) ([]byte, error) {
	if len(data) == keyBytes {
		return data, nil
	}
	text := strings.TrimSpace(string(data))
	if key, err := hex.DecodeString(text); err == nil && len(key) == keyBytes {
		return key, nil
	}
	if key, err := base64.StdEncoding.DecodeString(text); err == nil && len(key) == keyBytes {
		return key, nil
	}
	return nil, fmt.Errorf("wants %d bytes, as they are, in hex or in base64", keyBytes)
}

// CreateMasterKey writes a new key to path, for its owner's eyes only, and makes
// its folder. It never replaces a file. When it returns nil the key and its name are
// durable: what is sealed with it cannot outlive it.
func CreateMasterKey(path string, random io.Reader) error {
	key := make([]byte, keyBytes)
	if _, err := io.ReadFull(random, key); err != nil {
		return fmt.Errorf("drawing a master key: %w", err)
	}
	folders := []string{filepath.Dir(path)} // whose names must be durable
	if _, err := os.Stat(folders[0]); errors.Is(err, fs.ErrNotExist) {
		folders = append(folders, filepath.Dir(folders[0]))
	}
	if err := os.MkdirAll(folders[0], 0o700); err != nil {
		return fmt.Errorf("making the master key's folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making the master key: %w", err)
	}
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(key))
	err = errors.Join(err, f.Sync(), f.Close())
	for _, folder := range folders {
		err = errors.Join(err, syncFolder(folder))
	}
	if err != nil {
		os.Remove(path) // a key cut short would only be refused later
		return fmt.Errorf("making the master key: %w", err)
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
