//go:build unix

package config

import (
	"os"
	"path/filepath"
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
