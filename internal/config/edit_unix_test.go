//go:build unix

package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Configuration management likes to link settings files to places of its own.
func TestSetThroughLink(t *testing.T) {
	file := tempFile(t, "bias = 3\n")
	link := filepath.Join(t.TempDir(), "link.toml")
	if err := os.Symlink(file.Path, link); err != nil {
		t.Fatal(err)
	}
	if err := (TOMLFile{link}).Set("bias", "4"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	if got, _ := os.ReadFile(file.Path); string(got) != "bias = 4\n" {
		t.Errorf("the file has %q", got)
	}
}

func TestArgsPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var args Args
	args.Set("data-dir", "data")
	args.Set("endpoint-dir", "../run")
	loaded := (&Loader{Sources: []Source{&args}}).Load(nil)
	if loaded.DataDir != filepath.Join(dir, "data") || loaded.EndpointDir != filepath.Join(filepath.Dir(dir), "run") {
		t.Errorf("data-dir %q, endpoint-dir %q, problems %v", loaded.DataDir, loaded.EndpointDir, loaded.Problems)
	}
}

// What is no file is not read: a pipe would hold up the start of the service.
func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink(pipe, link)); err != nil {
		t.Fatal(err)
	}
	if entries, err := (TOMLFile{os.DevNull}).Read(); len(entries) > 0 || err != nil {
		t.Errorf("nothing is read as %v, %v", entries, err)
	}
	for path, says := range map[string]string{pipe: "named pipe", link: "named pipe", dir: "directory", "/dev/zero": "device"} {
		if _, err := (TOMLFile{path}).Read(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("reading %s: %v", path, err)
		}
		if err := (TOMLFile{path}).Set("bias", "4"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("changing %s: %v", path, err)
		}
	}
}
