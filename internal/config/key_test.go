package config

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tandem"
)

func TestMasterKey(t *testing.T) {
	dir := t.TempDir()
	key := bytes.Repeat([]byte{7}, keyBytes)
	write := func(name string, data []byte, mode os.FileMode) Path {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return Path(path)
	}
	data := Path(filepath.Join(dir, "data", "t.db"))
	blobs := Path(filepath.Join(dir, "blobs"))
	inside := write("data/deep/key", key, 0o600)
	if err := os.Symlink(string(inside), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		store Store
		want  string // "" = the key is given
	}{
		"plain":         {Store{MasterKey: write("plain", key, 0o600)}, ""},
		"hex":           {Store{MasterKey: write("hex", []byte(hex.EncodeToString(key)+"\n"), 0o400)}, ""},
		"base64":        {Store{MasterKey: write("b64", []byte(base64.StdEncoding.EncodeToString(key)), 0o600)}, ""},
		"short":         {Store{MasterKey: write("short", key[:31], 0o600)}, "wants 32 bytes"},
		"missing":       {Store{MasterKey: Path(filepath.Join(dir, "gone"))}, "make one"},
		"none in store": {Store{MasterKey: Path(filepath.Join(dir, "data", "gone"))}, "put it elsewhere"},
		"group reads":   {Store{MasterKey: write("group", key, 0o640)}, "chmod 600"},
		"others read":   {Store{MasterKey: write("others", key, 0o604)}, "chmod 600"},
		"a folder":      {Store{MasterKey: Path(dir)}, "no plain file"},
		"in the store":  {Store{MasterKey: inside}, "lies in the store's folder"},
		"by a link":     {Store{MasterKey: Path(filepath.Join(dir, "link"))}, "lies in the store's folder"},
		"in the blobs":  {Store{MasterKey: write("blobs/key", key, 0o600)}, "lies in the store's folder"},
		"command":       {Store{MasterKeyCommand: []string{"printf", hex.EncodeToString(key)}}, ""},
		"command fails": {Store{MasterKeyCommand: []string{"sh", "-c", "echo sealed >&2; exit 3"}}, "exit status 3: sealed"},
		"command wrong": {Store{MasterKeyCommand: []string{"echo", "no"}}, "wants 32 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			test.store.Path, test.store.Blobs = data, blobs
			got, err := LoadMasterKey(context.Background(), test.store)
			if test.want == "" {
				if err != nil || !bytes.Equal(got, key) {
					t.Errorf("got %x, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || tandem.CodeOf(err) != tandem.CodeInvalid {
				t.Errorf("want an invalid error with %q, got %v", test.want, err)
			}
		})
	}
}

func TestCreateMasterKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys", "k")
	if err := CreateMasterKey(path, rand.Reader); err != nil {
		t.Fatal(err)
	}
	s := Store{Path: Path(filepath.Join(dir, "data", "t.db")), Blobs: Path(filepath.Join(dir, "blobs")), MasterKey: Path(path)}
	if key, err := LoadMasterKey(context.Background(), s); err != nil || len(key) != keyBytes {
		t.Errorf("the new key reads as %d bytes, %v", len(key), err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := CreateMasterKey(path, rand.Reader); err == nil {
		t.Error("a key was replaced")
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the key there was changed: %v", err)
	}
}

// TestCreateMasterKeyIsDurable: a folder whose names cannot be made durable gets no key.
func TestCreateMasterKeyIsDurable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads every folder")
	}
	folder := filepath.Join(t.TempDir(), "keys")
	if err := os.Mkdir(folder, 0o300); err != nil { // files can be made in it, but it cannot be opened to be synced
		t.Fatal(err)
	}
	path := filepath.Join(folder, "k")
	if err := CreateMasterKey(path, rand.Reader); err == nil {
		t.Error("a key was made whose name is not durable")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the key is there all the same")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := Secret("hunter2")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "trunk", Trunk{Password: s})
	out := fmt.Sprint(s, " ", Trunk{Password: s}) + fmt.Sprintf("%v %+v %#v %s %q", s, Trunk{Password: s}, Trunk{Password: s}, s, s) + log.String()
	if strings.Contains(out, "hunter2") {
		t.Errorf("a secret was printed: %s", out)
	}
}
