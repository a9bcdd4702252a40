package session

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// host is the n-th of very many clients.
func host(n int) end {
	c := talker(n & 0xffff)
	c.v4 = c.v4.Next()
	for range n >> 16 {
		c.v4 = c.v4.Next()
	}
	return c
}

// TestFloodsCostNoSessions: sessions that nobody answers take no place from
// those that live, however many there are and in whatever way they fail. They
// leave no summaries either, which would wash out those of others.
func TestFloodsCostNoSessions(t *testing.T) {
	syn := func(from, to end) []byte { return segment(from, to, tcpSYN) }
	floods := map[string][]func(from, to end) []byte{
		"SYN":             {syn},
		"SYN sent again":  {syn, syn, syn},
		"SYN, refused":    {syn, func(from, to end) []byte { return segment(to, from, tcpRST|tcpACK) }},
		"half-open":       {syn, func(from, to end) []byte { return segment(to, from, tcpSYN|tcpACK) }},
		"half-open, RST":  {syn, func(from, to end) []byte { return segment(to, from, tcpSYN|tcpACK) }, func(from, to end) []byte { return segment(from, to, tcpRST) }},
		"ACK, refused":    {func(from, to end) []byte { return segment(from, to, tcpACK) }, func(from, to end) []byte { return segment(to, from, tcpRST) }},
		"UDP, many ports": {udp4},
	}
	for name, flood := range floods {
		t.Run(name, func(t *testing.T) {
			const slots, live = 4096, 1200 // far fewer than could crowd in a bucket
			r := newRig(t, slots, 100)
			for n := range live {
				r.see(segment(talker(n), server, tcpSYN))
				r.see(segment(server, talker(n), tcpSYN|tcpACK))
			}
			for n := range 10 * slots {
				for _, build := range flood {
					slot, _, event, f := r.visit(build(host(n), server), 60)
					if event == Began || event == Waits {
						r.SetPending(slot, f, uint64(n))
					}
				}
				if n%100 == 0 {
					r.pass(Tick)
				}
			}
			if s := r.Stats(); s.GivenUp != 0 || s.Summaries != 0 {
				t.Errorf("%+v", s)
			}
			for n := range live {
				if _, event := r.see(segment(talker(n), server, tcpACK)); event != Usual {
					t.Fatalf("session %d is not known any more", n)
				}
			}
		})
	}
}

// TestClosedGoBeforeLive: a scan that makes connections and closes them takes no
// place from those that live on.
func TestClosedGoBeforeLive(t *testing.T) {
	const slots, live = 4096, 1200
	r := newRig(t, slots, 100)
	fill(r, 0, live)
	r.pass(time.Minute)
	for n := range 3 * slots {
		r.see(segment(host(n), server, tcpSYN))
		r.see(segment(server, host(n), tcpSYN|tcpACK))
		r.see(segment(host(n), server, tcpFIN|tcpACK))
	}
	for n := range live {
		if _, event := r.see(segment(talker(n), server, tcpACK)); event != Usual {
			t.Fatalf("session %d is not known any more", n)
		}
	}
}

// TestCollisionsCannotBeChosen: packets chosen so that they meet in one bucket,
// by somebody who guesses at the seed or takes that of another machine, are
// spread over the table like all others.
func TestCollisionsCannotBeChosen(t *testing.T) {
	const chosen = 8 * ways
	for name, guess := range map[string]seed{"a simple seed": {1, 2, 3, 4}, "another machine's": newSeed()} {
		r := newRig(t, 64*ways, 8)
		other := Decoder{seed: guess}
		in := map[int]int{}
		found := 0
		for n := 0; found < chosen; n++ {
			data := udp4(host(n), server)
			var theirs, ours Flow
			other.Decode(packet.LinkTypeRaw, data, &theirs)
			if r.bucket(theirs.Hash) != 0 {
				continue
			}
			found++
			r.decoder.Decode(packet.LinkTypeRaw, data, &ours)
			in[r.bucket(ours.Hash)]++
		}
		for bucket, n := range in {
			if n > ways {
				t.Errorf("%s: of %d packets chosen for one bucket %d are in bucket %d", name, chosen, n, bucket/ways)
			}
		}
	}
}
