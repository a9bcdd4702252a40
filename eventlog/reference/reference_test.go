package reference

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the files that are made from the catalogue")

func TestGenerated(t *testing.T) {
	code, err := Code()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"../events.go":         code,
		"../PacketCache.xml":   View(),
		"../../docs/events.md": Markdown(),
	} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ReplaceAll(string(got), "\r\n", "\n") != want {
			t.Errorf("%s is not what eventlog/catalogue.go says; run make generate", path)
		}
	}
}

func TestWellFormed(t *testing.T) {
	for name, text := range map[string]string{"view": View(), "query": forwardingQuery} {
		decoder := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}
