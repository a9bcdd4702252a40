package reference

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/config"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md")

const page = "../../../docs/configuration.md"

func TestReference(t *testing.T) {
	want := Markdown()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(got), "\r\n", "\n") != want {
		t.Error("docs/configuration.md is not what internal/config/settings.go says; run make generate")
	}
}

// The example on the page is a settings file that a reader may copy.
func TestExampleLoads(t *testing.T) {
	text := regexp.MustCompile("(?s)```toml\n(.*?)```").FindStringSubmatch(Markdown())
	if text == nil {
		t.Fatal("no example")
	}
	path := filepath.Join(t.TempDir(), "packetcache.toml")
	if err := os.WriteFile(path, []byte(text[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	loader := config.Loader{Sources: []config.Source{config.TOMLFile{Path: path}}}
	loaded := loader.Load(nil)
	for _, p := range loaded.Problems {
		if f, known := config.FieldByKey(p.Key); known && runtime.GOOS != "windows" {
			t.Errorf("%s: %v", f.Key, p)
		}
	}
	for _, v := range loaded.Values() {
		// The paths in the example are those of Linux.
		if v.Field.Key == "ram-percent" || runtime.GOOS == "windows" && strings.HasSuffix(v.Field.Key, "-dir") {
			continue
		}
		if v.Origin != config.File {
			t.Errorf("%s: the example did not count", v.Field.Key)
		}
	}
}
