package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun measures some hours that are made up, from the command line to the
// pictures.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	dir := filepath.Join(t.TempDir(), "new")
	o := parse(t, "-trace", "week", "-days", "0.02", "-budget", "4MiB", "-out", dir)
	if err := o.run(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"week: ", "through 4 MiB", "| plain ring |", "truncation alone | PacketCache |", "| bias 2.5 |", "CPU, of one core"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
	for _, name := range []string{"retention-week", "retention-week-heads", "retention-week-horizons"} {
		for ext, begin := range map[string]string{".svg": "<svg ", ".png": "\x89PNG"} {
			if b, err := os.ReadFile(filepath.Join(dir, name+ext)); err != nil || !bytes.HasPrefix(b, []byte(begin)) {
				t.Errorf("%s%s: %.10q, %v", name, ext, b, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	nothing := filepath.Join(t.TempDir(), "nothing.pcap")
	for want, args := range map[string][]string{
		nothing:                     {"-trace", nothing},
		`there is no table "pie"`:   {"-trace", "week", "-days", "0.01", "-show", "pie"},
		"it needs at least 4194304": {"-trace", "week", "-days", "0.01", "-budget", "1MiB"},
	} {
		if err := parse(t, args...).run(io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestUpdate: what is measured takes the place of what stood in a document, and
// all else is left as it is.
func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	const frame = "Before.\n<!-- simulate -trace week -days 0.01 -budget 4MiB -show ages -->\n%s<!-- end -->\nBetween.\n" +
		"<!-- simulate -trace week -days 0.01 -budget 5MiB -show ages -->\n%s<!-- end -->\nAfter.\n"
	if err := os.WriteFile(path, fmt.Appendf(nil, frame, "old\n", ""), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := update(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var tables [2]string
	for i, size := range []string{"4MiB", "5MiB"} {
		var b bytes.Buffer
		if err := parse(t, "-trace", "week", "-days", "0.01", "-budget", size, "-show", "ages").run(&b); err != nil {
			t.Fatal(err)
		}
		tables[i] = "\n" + b.String() + "\n"
	}
	if want := fmt.Sprintf(frame, tables[0], tables[1]); string(got) != want {
		t.Errorf("the document is\n%s\nwant\n%s", got, want)
	}
	for content, want := range map[string]string{
		"<!-- simulate -trace week -->\n":           "no <!-- end -->",
		"<!-- simulate -pie -->\n<!-- end -->\n":    "-pie",
		"<!-- simulate -show ? -->\n<!-- end -->\n": "no table",
		"nothing to be measured":                    "nothing to be measured",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := update(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, want %s", content, err, want)
		}
		if left, err := os.ReadFile(path); string(left) != content {
			t.Errorf("%q became %q, %v", content, left, err)
		}
	}
}

func parse(t *testing.T, args ...string) *options {
	t.Helper()
	f := flag.NewFlagSet("simulate", flag.ContinueOnError)
	o := newOptions(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}
