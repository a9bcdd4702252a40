package persist

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/vault"
)

// What stands in the way of the file is moved away and not followed.
func TestInTheWay(t *testing.T) {
	for name, test := range map[string]struct {
		put  func(t *testing.T, path string)
		says string
	}{
		"a link": {func(t *testing.T, path string) {
			must(t, os.Rename(path, path+"-else"))
			must(t, os.Symlink(path+"-else", path))
		}, "is a link"},
		"a directory":   {func(t *testing.T, path string) { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o700)) }, ""},
		"two names":     {func(t *testing.T, path string) { must(t, os.Link(path, path+"-else")) }, "names"},
		"another's":     {func(t *testing.T, path string) { chown(t, path) }, "belongs to uid"},
		"open to all":   {func(t *testing.T, path string) { must(t, os.Chmod(path, 0o666)) }, "others"},
		"an empty file": {func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o600)) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			r := beginIn(t, dir, cache.MinBytes, manual)
			r.ready()
			fill(r.cache, 0, few)
			r.end()
			text, err := os.ReadFile(filepath.Join(dir, vault.Name))
			must(t, err)
			test.put(t, filepath.Join(dir, vault.Name))
			r = beginIn(t, dir, cache.MinBytes, manual)
			r.ready()
			fill(r.cache, few, few)
			r.end()
			r.said("FileSetAside", "CacheSaved")
			if text := r.log.text("FileSetAside"); !strings.Contains(text, test.says) {
				t.Errorf("it says %q", text)
			}
			if _, err := os.Lstat(filepath.Join(dir, vault.Name+".rejected")); err != nil {
				t.Error(err)
			}
			r = beginIn(t, dir, cache.MinBytes, manual)
			if s := r.ready(); len(s.SetAside) != 1 {
				t.Errorf("status %+v", s)
			}
			holds(t, "afterwards", r.cache, numbered(few, few))
			// Whoever makes something of the file finds its key, until the file is gone.
			if key, _, err := r.Unwrap(headerOf(t, text)); (err == nil && len(key) > 0) != (name != "an empty file") {
				t.Errorf("the key of the file that was set aside: %v", err)
			}
			r.kill()
			r = beginIn(t, dir, cache.MinBytes, manual)
			r.ready()
			must(t, os.RemoveAll(filepath.Join(dir, vault.Name+".rejected")))
			if s := r.Status(); len(s.SetAside) != 0 {
				t.Errorf("when it is gone the status says %q", s.SetAside)
			}
			r.kill()
			r = beginIn(t, dir, cache.MinBytes, manual)
			r.ready()
			r.end()
			if keys, err := filepath.Glob(filepath.Join(dir, "*.key")); err != nil || len(keys) != 1 {
				t.Errorf("when it is gone there are %d keys, %v", len(keys), err)
			}
		})
	}
}

func chown(t *testing.T, path string) {
	t.Helper()
	if err := os.Chown(path, 54321, 54321); errors.Is(err, fs.ErrPermission) {
		t.Skip("needs root")
	} else {
		must(t, err)
	}
}
