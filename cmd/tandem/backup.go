package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/internal/config"
)

func backupCommand() *cli.Command {
	return &cli.Command{
		Name: "backup", ArgsUsage: "FILE", Usage: "copy the database to a new file, also while the server runs",
		Flags: []cli.Flag{configFlag()}, Action: backupStore,
	}
}

func backupStore(c *cli.Context) error {
	if err := wantArgs(c, "FILE"); err != nil {
		return err
	}
	file := c.Args().First()
	if _, err := os.Lstat(file); err == nil {
		return tandem.Errorf(tandem.CodeConflict, "%s exists and is not replaced; name a new file", file)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return tandem.Errorf(tandem.CodeInvalid, "%w", err)
	}
	loaded, err := loadConfig(c)
	if err != nil {
		return err
	}
	db, err := openStore(c.Context, loaded.Config, toRead, c.App.ErrWriter)
	if err != nil {
		return err
	}
	if err := errors.Join(db.Backup(c.Context, file), db.Close()); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "the database is copied to %s, %.1f MiB; it is of use only with\n%s", file, float64(info.Size())/(1<<20), besides(loaded.Config.Store))
	return err
}

// besides says what must be saved too. Objects come after the database, so that each
// one its copy names is there.
func besides(s config.Store) string {
	key := "the master key, which must not lie beside the copies: " + string(s.MasterKey)
	if len(s.MasterKeyCommand) > 0 {
		key = "the master key, as " + s.MasterKeyCommand[0] + " gives it"
	}
	return fmt.Sprintf("- the folder of objects, copied after this: %s\n- the checkpoints, to verify it: %s\n- %s\n", s.Blobs, s.Checkpoints, key)
}
