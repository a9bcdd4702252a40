package pcctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/seal"
)

// A sealedFile is one that a command was given.
type sealedFile struct {
	*os.File
	path string
	info fs.FileInfo // as it was when it was opened
	name seal.Name
	// header is the age header.
	header []byte
}

const flagKey = "i"

// keyFlag names files with keys.
func keyFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: flagKey, Usage: "`KEYFILE` with a secret key, as age-keygen writes it; may be given several times"}
}

// openSealed opens the file that a command is about, whose name can be read.
func openSealed(c *cli.Context) (*sealedFile, error) {
	switch {
	case c.NArg() == 0 || c.Args().First() == "":
		return nil, &usageProblem{command: c.Command.Name, err: errors.New("no file is named")}
	case c.NArg() > 1:
		return nil, &usageProblem{command: c.Command.Name, err: fmt.Errorf("unexpected argument %q: one file at a time", c.Args().Get(1))}
	}
	path := c.Args().First()
	if path == standardOutput {
		return nil, &usageProblem{command: c.Command.Name, err: errors.New("a sealed cache is read here and there, which standard input does not allow: name the file")}
	}
	f, err := openShared(path)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	s := &sealedFile{File: f, path: path}
	if err := s.look(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return s, nil
}

// explainOpen says why a file cannot be opened.
func explainOpen(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return withHint(fmt.Errorf("%s is not there", path), "the service keeps its sealed cache in its data directory: \"pcctl config get data-dir\" says where.")
	case errors.Is(err, fs.ErrPermission):
		return withHint(fmt.Errorf("%s cannot be read: %w", path, ipc.ErrPermission), hintElevate)
	}
	return fmt.Errorf("%s cannot be read: %w", path, cause(err))
}

// look reads what the file says of itself to everybody.
func (s *sealedFile) look() (err error) {
	if s.info, err = s.Stat(); err != nil {
		return fmt.Errorf("%s cannot be read: %w", s.path, cause(err))
	}
	switch {
	case s.info.IsDir():
		return withHint(fmt.Errorf("%s is a directory", s.path), "name the file in it: "+quoted(filepath.Join(s.path, "PacketCache.sealed"))+".")
	case !s.info.Mode().IsRegular():
		return fmt.Errorf("%s is no file", s.path)
	}
	s.header, s.name, err = seal.ReadHeader(io.NewSectionReader(s, 0, seal.MaxHeader))
	return s.explain(err)
}

// explain adds the name of the file to an error, and what to do.
func (s *sealedFile) explain(err error) error {
	var version *seal.VersionError
	var damage *seal.DamageError
	switch {
	case err == nil:
		return nil
	case s.changed():
		return withHint(fmt.Errorf("%s was replaced while it was being read", s.path), "run the command again.")
	case errors.Is(err, seal.ErrNotAge):
		return s.explainOther(err)
	case errors.Is(err, seal.ErrForeign):
		return withHint(fmt.Errorf("%s: %w", s.path, err), "who has its key opens it with: age -d -i KEYFILE "+quoted(s.path)+".")
	case errors.As(err, &version):
		return withHint(fmt.Errorf("%s: %w", s.path, err), "use the pcctl of the PacketCache that wrote it, or a newer one.")
	case errors.Is(err, seal.ErrWrongKey):
		return withHint(fmt.Errorf("%s: %w", s.path, err),
			fmt.Sprintf("%s open it: that of machine identity %s%s.", countedKeys(s.name.Recipients), s.name.Identity, orRecovery(s.name.Recipients)))
	case errors.As(err, &damage):
		return withHint(fmt.Errorf("%s: %w", s.path, err), "look for another copy of it.")
	}
	return fmt.Errorf("%s: %w", s.path, err)
}

// explainOther says what a file is that is no sealed cache.
func (s *sealedFile) explainOther(err error) error {
	var b [64]byte
	n, _ := s.ReadAt(b[:], 0)
	begins := func(with string) bool { return strings.HasPrefix(string(b[:n]), with) }
	hint := "the service writes PacketCache.sealed into its data directory; that is what this command reads."
	switch {
	case begins("\xd4\xc3\xb2\xa1"), begins("\xa1\xb2\xc3\xd4"), begins("\x4d\x3c\xb2\xa1"), begins("\xa1\xb2\x3c\x4d"), begins("\x0a\x0d\x0d\x0a"):
		hint = "it is a capture file already: open it with wireshark " + quoted(s.path) + "."
	case begins("AGE-SECRET-KEY-1"), begins("# created:"):
		hint = "it seems to be a key: give it with -i, and name the sealed file."
	case begins("-----BEGIN AGE ENCRYPTED FILE-----"):
		hint = "it is an age file written as text; a sealed cache is binary."
	}
	return withHint(fmt.Errorf("%s: %w", s.path, err), hint)
}

// changed says that the file is not the one that was opened, or no longer as it
// was.
func (s *sealedFile) changed() bool {
	if now, err := s.Stat(); err != nil || now.Size() != s.info.Size() || !now.ModTime().Equal(s.info.ModTime()) {
		return true
	}
	named, err := os.Stat(s.path)
	return err != nil || !os.SameFile(named, s.info)
}

// keys are those that were given, else what the service of this machine opens the
// file with.
func (s *sealedFile) keys(ctx context.Context, m machine, c *cli.Context) ([]age.Identity, error) {
	if c.IsSet(flagKey) {
		return readKeys(c.StringSlice(flagKey), c.App.Reader)
	}
	client := m.newClient(c)
	defer client.Close()
	key, err := client.Unwrap(ctx, s.header)
	var problem *control.Problem
	switch {
	case err == nil:
		return []age.Identity{age.NewInjectedFileKeyIdentity(key)}, nil
	case errors.Is(err, ipc.ErrNotRunning):
		return nil, withHint(fmt.Errorf("no key for %s is given, and the service of this machine, which may have it, does not answer: %w", s.path, err),
			"give a recovery key with -i KEYFILE; or "+hintNotRunning)
	case errors.Is(err, ipc.ErrPermission):
		return nil, withHint(err, "give a recovery key with -i KEYFILE. Without one: "+hintNotPermitted)
	case errors.As(err, &problem) && problem.Status == http.StatusNotFound:
		if s.changed() {
			return nil, withHint(fmt.Errorf("%s was replaced while it was being read", s.path), "run the command again.")
		}
		return nil, withHint(fmt.Errorf("the service of this machine cannot open %s: %w", s.path, err), "give a recovery key with -i KEYFILE.")
	}
	return nil, err
}

// countedKeys is "1 key", "3 keys".
func countedKeys(n int) string { return counted(uint64(max(n, 0)), "key") }

func orRecovery(n int) string {
	switch {
	case n == 2:
		return ", and that of one recovery recipient"
	case n > 2:
		return fmt.Sprintf(", and those of %d recovery recipients", n-1)
	}
	return ""
}
