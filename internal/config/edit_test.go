package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSetAndUnset(t *testing.T) {
	set := func(key string, values ...string) func(TOMLFile) error {
		return func(f TOMLFile) error { return f.Set(key, values...) }
	}
	unset := func(key string) func(TOMLFile) error {
		return func(f TOMLFile) error { return f.Unset(key) }
	}
	for _, test := range []struct {
		name   string
		before string
		edit   func(TOMLFile) error
		after  string
	}{
		{"into an empty file", "", set("ram-percent", "2.5"), "ram-percent = 2.5\n"},
		{"a size", "", set("ram-size", "41943040"), "ram-size = \"40MiB\"\n"},
		{"a list", "", set("interfaces", "eth*", `Ethernet "2", \x`), `interfaces = ["eth*", "Ethernet \"2\", \\x"]` + "\n"},
		{"an empty list", "", set("interfaces"), "interfaces = []\n"},
		{"a switch", "", set("promiscuous", "yes"), "promiscuous = true\n"},
		{"a value in place", "# why\nbias = 3 # more\nexclude = []\n", set("bias", "4"), "# why\nbias = 4 # more\nexclude = []\n"},
		{"a list over lines", "exclude = [ # first\n  \"a\",\n] # last\nbias = 3\n", set("exclude", "b"), "exclude = [\"b\"] # last\nbias = 3\n"},
		{"no newline at the end", "bias = 3", set("promiscuous", "1"), "bias = 3\npromiscuous = true\n"},
		{"in front of a table", "bias = 3\n\n  [t]\nbias = 5\n", set("promiscuous", "on"), "bias = 3\n\npromiscuous = true\n  [t]\nbias = 5\n"},
		{"not the one in a table", "[t]\nbias = 5\n", set("bias", "1"), "bias = 1\n[t]\nbias = 5\n"},
		{"a quoted key", "\"bias\" = 3\n", set("bias", "1"), "bias = 1\n"},
		{"line ends of Windows", "bias = 3\r\nexclude = []\r\n", set("bias", "1"), "bias = 1\r\nexclude = []\r\n"},
		{"gone with its comment", "# why\nbias = 3 # more\nexclude = []\n", unset("bias"), "# why\nexclude = []\n"},
		{"gone with all its lines", "exclude = [\n  \"a\",\n]\nbias = 3\n", unset("exclude"), "bias = 3\n"},
		{"gone from the last line", "exclude = []\nbias = 3", unset("bias"), "exclude = []\n"},
		{"was not there", "exclude = []\n", unset("bias"), "exclude = []\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := tempFile(t, test.before)
			if err := test.edit(file); err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(file.Path); string(got) != test.after {
				t.Errorf("got\n%s\nwant\n%s", got, test.after)
			}
		})
	}
}

func TestRefusedEdits(t *testing.T) {
	for _, test := range []struct{ name, before, key, value, want string }{
		{"out of range", "bias = 3\n", "bias", "9", "allowed is a number from 0 to 8"},
		{"unknown", "bias = 3\n", "colour", "red", `"colour" is not a setting`},
		{"broken file", "bias = \n", "bias", "3", "is not changed: line 1"},
		{"a table of that name", "[bias]\n", "bias", "3", "is a table there"},
		{"dotted keys of that name", "bias.x = 1\n", "bias", "3", "is a table there"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := tempFile(t, test.before)
			if err := file.Set(test.key, test.value); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if got, _ := os.ReadFile(file.Path); string(got) != test.before {
				t.Errorf("the file was changed to %q", got)
			}
		})
	}
}

// A first Set makes the directory and the file, readable by all; no temporary
// file stays.
func TestSetCreates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "etc", "packetcache")
	file := TOMLFile{filepath.Join(dir, "packetcache.toml")}
	if err := file.Unset("bias"); err != nil {
		t.Fatalf("Unset without a file: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("Unset made a directory")
	}
	if err := file.Set("bias", "3"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file.Path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o444 != 0o444 {
		t.Errorf("mode %v, want readable by all", info.Mode())
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("files left: %v", names)
	}
}

func TestRemoveFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "packetcache")
	f, other := TOMLFile{filepath.Join(dir, "packetcache.toml")}, filepath.Join(dir, "other")
	there := func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}
	if err := f.Remove(); err != nil {
		t.Errorf("without a file: %v", err)
	}
	for _, path := range []string{f.Path, other} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Remove(); err != nil || there(f.Path) || !there(other) {
		t.Errorf("beside another file: %v", err)
	}
	if err := errors.Join(os.Remove(other), f.Set("bias", "3"), f.Remove()); err != nil || there(dir) {
		t.Errorf("as the only file: %v", err)
	}
}
