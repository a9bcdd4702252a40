package cache

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/seal"
)

// TestSealedLikeDump: a cache that goes into a sealed file comes out of it as a dump
// shows it, packet by packet and in the same order.
func TestSealedLikeDump(t *testing.T) {
	for name, test := range map[string]struct{ replay, compress, rules, restored bool }{
		"live":                   {},
		"compressed, with rules": {compress: true, rules: true},
		"replayed":               {replay: true, compress: true},
		"restored before":        {compress: true, restored: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(12, test.replay)
			c := w.newCache(t, test.compress)
			if test.rules {
				setRules(t, c, someRules...)
			}
			at := w.wall
			for range 20000 {
				w.pass()
				p := w.next().p
				if w.random.IntN(2) == 0 { // as many come at once
					at += int64(w.random.IntN(1e8))
				}
				p.Time = at
				if w.random.IntN(10) == 0 { // and some late
					p.Time -= w.random.Int64N(5e9)
					at++ // or what comes at this time would be two runs, whose order nobody knows
				}
				w.feed(c, []packet.Packet{p})
			}
			if test.restored {
				saved := saveAll(t, c)
				reversed := slices.Clone(interfaces)
				slices.Reverse(reversed)
				c = newCacheOf(t, Options{Bytes: MinBytes, Most: 4 * smallBudget, Bias: 2, Boot: func() int64 { return w.boot }}, reversed...)
				saved.restoreAll(t, c, 0)
			}
			got, want := unsealed(t, c), inOrder(t, c)
			if len(want) < 5000 {
				t.Errorf("%d packets only", len(want))
			}
			for i := range max(len(got), len(want)) {
				if i == len(got) || i == len(want) || got[i] != want[i] {
					t.Fatalf("packet %d of %d, of %d in the dump, is another", i, len(got), len(want))
				}
			}
		})
	}
}

// inOrder is what a dump shows.
func inOrder(t *testing.T, c *Cache) (all []shown) {
	t.Helper()
	r := c.NewReader()
	r.Begin(All)
	defer r.End()
	known, _ := c.Interfaces()
	var p packet.Packet
	for r.Next(&p) {
		all = append(all, shown{p.Time, string(p.Data), p.OrigLen, known[p.Interface].Name, p.Direction})
	}
	return all
}

// unsealed seals the cache and reads the file.
func unsealed(t *testing.T, c *Cache) (all []shown) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	saver := c.NewSaver()
	var file bytes.Buffer
	w, err := seal.NewWriter(&file, id.Recipient().String(), []age.Recipient{id.Recipient()}, &seal.Head{State: *saver.State()})
	var seg record.Segment
	for err == nil && saver.Next(&seg) {
		err = w.Segment(&seg)
	}
	if err == nil {
		err = w.Close(seal.End{})
	}
	if err != nil {
		t.Fatal(err)
	}
	report, err := seal.Verify(bytes.NewReader(file.Bytes()), nil, id)
	if err != nil || !report.Good() {
		t.Fatalf("the file is not good: %v, %+v", err, report)
	}
	f, err := seal.Open(bytes.NewReader(file.Bytes()), nil, id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	packets, err := f.Packets(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	var p packet.Packet
	for packets.Next(&p) {
		all = append(all, shown{p.Time, string(p.Data), p.OrigLen, f.Interfaces()[p.Interface].Name, p.Direction})
	}
	if lost, why := packets.Lost(); why != nil {
		t.Errorf("%v lost: %v", lost, why)
	}
	return all
}
