//go:build unix

package config

import (
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The file is followed however it is changed, and when its directory comes
// later, or goes.
func TestWatchFile(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "etc", "packetcache")
	file := TOMLFile{filepath.Join(dir, "packetcache.toml")}
	f := follow(t, file)
	f.biased("nothing there", 2)

	do(t, os.MkdirAll(dir, 0o700))
	write(t, file.Path, "bias = 3\n")
	f.biased("a directory and a file in it", 3)

	write(t, file.Path, "bias = 4\n")
	f.biased("edited in place", 4)

	write(t, file.Path+"~", "bias = 5\n")
	do(t, os.Rename(file.Path+"~", file.Path))
	f.biased("another put in its place", 5)

	do(t, file.Set("bias", "6"))
	f.biased("set by Set", 6)

	write(t, file.Path, "bias = ")
	f.await("half a file", func(l *Loaded) bool { return l.Bias == 6 && len(l.Problems) == 1 })

	do(t, os.Remove(file.Path))
	f.biased("removed", 2)

	target := filepath.Join(root, "elsewhere.toml")
	write(t, target, "bias = 1\n")
	do(t, os.Symlink(target, file.Path))
	f.biased("a link to another file", 1)
	write(t, target, "bias = 0.5\n")
	f.biased("that file changed", 0.5)

	do(t, os.RemoveAll(filepath.Join(root, "etc")))
	f.biased("the directory removed", 2)
	do(t, os.MkdirAll(dir, 0o700))
	write(t, file.Path, "bias = 7\n")
	f.biased("and made again", 7)

	do(t, os.Rename(dir, dir+".old"))
	f.biased("the directory moved away", 2)
	do(t, os.Mkdir(dir, 0o700))
	write(t, file.Path, "bias = 8\n")
	f.biased("and another made", 8)
}

// What else happens in the directories does not matter.
func TestWatchFileOnly(t *testing.T) {
	for _, test := range []struct {
		name, path string
		want       bool
	}{
		{"/etc/packetcache/packetcache.toml", "/etc/packetcache/packetcache.toml", true},
		{"/etc/packetcache", "/etc/packetcache/packetcache.toml", true},
		{"/", "/etc/packetcache/packetcache.toml", true},
		{"/etc/packetcache/packetcache.toml~", "/etc/packetcache/packetcache.toml", false},
		{"/etc/packet", "/etc/packetcache/packetcache.toml", false},
		{"/etc/passwd", "/etc/packetcache/packetcache.toml", false},
	} {
		if got := leadsTo(test.name, test.path); got != test.want {
			t.Errorf("%s leads to %s: %v", test.name, test.path, got)
		}
	}
}
