package admx

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/config"
)

var update = flag.Bool("update", false, "rewrite the templates")

// The files are what the settings make them.
func TestTemplates(t *testing.T) {
	made := map[string][]byte{}
	var err error
	if made[Name+".admx"], err = Definitions(); err != nil {
		t.Fatal(err)
	}
	for _, language := range Languages() {
		if made[filepath.Join(language, Name+".adml")], err = Resources(language); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range made {
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
			t.Errorf("installer/admx/%s is not what the settings say; run make generate", path)
		}
	}
}

// Every setting has its texts in both languages, and they render what its
// documentation says now.
func TestTexts(t *testing.T) {
	known := map[string]bool{}
	for _, p := range policies(languages["en-US"]) {
		known[p.Key] = true
		text, ok := texts[p.Key]
		if !ok {
			t.Errorf("the setting %s has no texts for Group Policy: add them in installer/admx/texts.go", p.Key)
			continue
		}
		for what, missing := range map[string]bool{
			"English title": text.english.title == "", "German title": text.german.title == "", "German text": text.german.explain == "",
		} {
			if missing {
				t.Errorf("the setting %s has no %s: add it in installer/admx/texts.go", p.Key, what)
			}
		}
		if now := digest(p.Doc); text.of != now {
			t.Errorf("the documentation of the setting %s was changed: see whether its texts in installer/admx/texts.go still say the same, and set of to %q there", p.Key, now)
		}
		if f := p.Field; f.Kind != config.Choice && allowedInGerman(f) == f.Allowed() {
			t.Errorf("what is allowed for the setting %s is not told in German: add it in installer/admx/language.go", p.Key)
		}
	}
	for key := range texts {
		if !known[key] {
			t.Errorf("installer/admx/texts.go has texts of %s, which is no setting of Windows", key)
		}
	}
	for name, l := range languages {
		for _, f := range config.Fields() {
			if explained := l.explain(f); strings.Contains(explained, "%!") || strings.Contains(explained, "..") {
				t.Errorf("%s: %s", name, explained)
			}
		}
	}
}
