package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func tempFile(t testing.TB, text string) TOMLFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "packetcache.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return TOMLFile{path}
}

func TestReadLines(t *testing.T) {
	file := tempFile(t, "# a comment\n\nbias = 3\nexclude = [\n  \"a\",\n]\r\nlog-level='info'\n[table]\nbias = 4\n")
	entries, err := file.Read()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Key+" "+strings.TrimPrefix(e.Where, file.Path))
	}
	if want := []string{"bias :3", "exclude :4", "log-level :7", "table :8"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNoFile(t *testing.T) {
	entries, err := TOMLFile{filepath.Join(t.TempDir(), "none.toml")}.Read()
	if len(entries) > 0 || err != nil {
		t.Errorf("got %v, %v; a file that does not exist is empty", entries, err)
	}
}

func TestUnreadableFiles(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"twice":       {"bias = 1\nbias = 2\n", "line 2"},
		"half":        {"bias = \n", "line 1"},
		"not UTF-8":   {"bias = \"\xff\"\n", "line 1"},
		"binary":      {"\x00\x01\x02", "line 1"},
		"deep":        {"bias = " + strings.Repeat("[", 20000), "line 1"},
		"large":       {"# " + strings.Repeat("x", maxFileSize), "more than 1 MiB"},
		"big integer": {"bias = 99999999999999999999\n", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			entries, err := tempFile(t, test.text).Read()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v; want an error with %q", entries, err, test.want)
			}
		})
	}
	if _, err := (TOMLFile{t.TempDir()}).Read(); err == nil {
		t.Error("a directory was read as a file")
	}
}

// Whatever the file holds, loading it ends in settings that are allowed, and
// what Set writes to it is read back.
func FuzzTOMLFile(f *testing.F) {
	for _, seed := range []string{
		"", "bias = 3\n", "ram-percent = nan", "ram-size = \"40MiB\" # enough\n[t]\nx=1",
		"interfaces = [\"eth*\", 'x', \"\"\"y\"\"\"]\r\n", "ram-percent.a.b = {c = [1, 2.5, 2026-01-02T03:04:05Z]}",
		"[[a]]\nb=1\n[[a]]\n\"bias\" = 1", "bias", "\"\" = 1", "a = [[[[[1]]]]]", "bias=3", "\n\n[bias]\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file := tempFile(t, string(text))
		loader := Loader{Sources: []Source{file}, TotalRAM: 16 << 30}
		loaded := loader.Load(nil)
		for _, v := range loaded.Values() {
			if _, err := v.Field.value(v.Words); err != nil {
				t.Fatalf("%s = %q is in force: %v", v.Field.Key, v.Words, err)
			}
		}
		if err := file.Set("bias", "7"); err != nil {
			if after, _ := os.ReadFile(file.Path); string(after) != string(text) {
				t.Fatalf("Set failed (%v) and changed the file to %q", err, after)
			}
			return
		}
		after := loader.Load(nil)
		if after.Bias != 7 || after.Origin("bias") != File {
			content, _ := os.ReadFile(file.Path)
			t.Fatalf("bias is %v after Set: %q", after.Bias, content)
		}
		after.Bias = loaded.Bias
		if !reflect.DeepEqual(after.Settings, loaded.Settings) {
			t.Fatalf("Set changed more than bias: %+v, was %+v", after.Settings, loaded.Settings)
		}
		if err := file.Unset("bias"); err != nil {
			t.Fatalf("Unset after Set: %v", err)
		}
		if again := loader.Load(nil); again.Origin("bias") != Default {
			t.Fatalf("bias is still there after Unset")
		}
	})
}
