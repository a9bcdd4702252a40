package eventlog

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "add new events to testdata/ids.txt")

func TestCatalogue(t *testing.T) {
	names := map[string]bool{}
	var last uint16
	for _, e := range Events() {
		if e.ID <= last {
			t.Errorf("%d stands after %d", e.ID, last)
		}
		last = e.ID
		if low := 900 + 100*uint16(e.Category); e.ID <= low || e.ID >= low+100 {
			t.Errorf("%d is no ID of the category %s", e.ID, e.Category)
		}
		if names[e.Name] || !regexp.MustCompile(`^([A-Z][a-z]+)+$`).MatchString(e.Name) {
			t.Errorf("%d: the name %q is no name, or taken", e.ID, e.Name)
		}
		names[e.Name] = true
		if strings.HasPrefix(e.Severity.String(), "severity") {
			t.Errorf("%d: %s", e.ID, e.Severity)
		}
		if !strings.HasSuffix(e.Do, ".") || strings.ContainsAny(e.Do+e.Text, "\r\n|") {
			t.Errorf("%d: text or advice is not made of whole sentences on one line", e.ID)
		}
		checkInserts(t, e)
	}
}

// checkInserts holds the text to the inserts: each stands there once, and
// nothing else that FormatMessage would take for a sign of its own.
func checkInserts(t *testing.T, e Event) {
	t.Helper()
	var want, got []string
	for i, in := range e.Inserts {
		want = append(want, fmt.Sprintf("%%%d", i+1))
		// The journal has fields for all events of the names excluded here.
		if !regexp.MustCompile(`^[a-z]+$`).MatchString(in.Name) || slices.Contains([]string{"event", "name", "category"}, in.Name) {
			t.Errorf("%d: an insert can't be called %q", e.ID, in.Name)
		}
	}
	for _, sign := range regexp.MustCompile(`%.?!?`).FindAllString(e.Text, -1) {
		if sign != "%%" {
			got = append(got, sign)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || len(want) == 0 || len(want) > 9 {
		t.Errorf("%d: the text has the inserts %q, the list %q", e.ID, got, want)
	}
}

// testdata/ids.txt lists every ID that was ever used. An event that goes stays
// there, so that nobody uses its ID again.
func TestIDsForEver(t *testing.T) {
	path := filepath.Join("testdata", "ids.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	used := map[uint16]string{}
	for line := range strings.Lines(string(text)) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseUint(id, 10, 16)
		if err != nil || used[uint16(n)] != "" {
			t.Fatalf("%s: %q: %v, or twice", path, line, err)
		}
		used[uint16(n)] = name
	}
	now := map[uint16]string{}
	for _, e := range Events() {
		now[e.ID] = e.Name
		if was, ok := used[e.ID]; !ok {
			used[e.ID] = e.Name
			if !*update {
				t.Errorf("%d %s is new; run make generate to write it down", e.ID, e.Name)
			}
		} else if was != e.Name {
			t.Errorf("the ID of %s, %d, was that of %s; take another", e.Name, e.ID, was)
		}
	}
	for id, name := range used {
		if _, ok := now[id]; !ok && !slices.Contains(retired, id) {
			t.Errorf("%d %s is gone: put it back, or its ID into the list retired", id, name)
		}
	}
	if !*update {
		return
	}
	var lines []string
	for id, name := range used {
		lines = append(lines, fmt.Sprintf("%d %s\n", id, name))
	}
	slices.Sort(lines)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// retired are the IDs of events that no longer exist.
var retired []uint16
