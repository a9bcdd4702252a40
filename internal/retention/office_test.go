package retention

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/trace"
)

// measureOffice replays the day of the corpus.
func measureOffice(t *testing.T, budget int, variants []Variant) *Study {
	t.Helper()
	file, err := trace.Corpus(filepath.Join("..", ".."), "office-dev.pcap.zst")
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	x, err := trace.NewIndex(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Measure("office", file, x, budget, variants)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOffice holds what the project promises: that the defaults, as they are
// shipped, keep so many sessions' beginnings of a day, and the ways to compare
// with as many as is known of them.
func TestOffice(t *testing.T) {
	s := measureOffice(t, 10<<20, Variants(config.Defaults().Bias))
	if s.Packets != 209381 || s.Sessions < 11500 || s.Sessions > 11700 {
		t.Errorf("%d packets, %d sessions", s.Packets, s.Sessions)
	}
	want := []struct {
		variant string
		heads   [len(Heads)]float64 // least share of sessions, in percent
		within  float64             // and at most so much more
	}{
		{"plain ring", [...]float64{3.7, 3.7, 3.7, 3.7}, 0.5},
		{"first 15 KB of each", [...]float64{30.7, 30.7, 28.5, 28.5}, 1.5},
		{"truncation alone", [...]float64{54, 34.5, 33.5, 33.5}, math.Inf(1)},
		{"PacketCache", [...]float64{90, 85, 78, 78}, math.Inf(1)},
	}
	if len(s.Results) != len(want) {
		t.Fatalf("%d variants, want %d", len(s.Results), len(want))
	}
	for i, want := range want {
		r := &s.Results[i]
		if r.Variant != want.variant {
			t.Fatalf("variant %d is %s, want %s", i, r.Variant, want.variant)
		}
		for n, least := range want.heads {
			if got := r.Sessions[n].Percent(); got < least || got > least+want.within {
				t.Errorf("%s: %s of %.2f %% of sessions, want %v and at most %v more", r.Variant, Heads[n], got, least, want.within)
			}
		}
		for n := range Heads {
			var sum Share
			for _, span := range r.ByAge[n] {
				sum.Have += span.Have
				sum.Of += span.Of
			}
			if sum != r.Sessions[n] {
				t.Errorf("%s: %v by age, %v of all", r.Variant, sum, r.Sessions[n])
			}
		}
		if !slices.IsSortedFunc(r.Complete[:], func(a, b Reach) int { return int(b.Age - a.Age) }) {
			t.Errorf("%s: longer heads reach further back: %v", r.Variant, r.Complete)
		}
		if answered := r.Answered[1].Percent(); i == len(s.Results)-1 && answered < 88 {
			t.Errorf("%s: %s of %.2f %% of the sessions of more than one packet, want 88", r.Variant, Heads[1], answered)
		}
		if held := float64(r.Bytes) / float64(s.Budget); held < 0.8 {
			t.Errorf("%s holds %.2f bytes per byte of memory", r.Variant, held)
		}
	}
}

// TestOfficeInHalf is the same with less memory than the service takes.
func TestOfficeInHalf(t *testing.T) {
	s := measureOffice(t, 5<<20, Variants(config.Defaults().Bias))
	if got := s.Results[len(s.Results)-1].Sessions[1].Percent(); got < 40 {
		t.Errorf("the first 4 KiB of %.2f %% of sessions, want 40", got)
	}
}
