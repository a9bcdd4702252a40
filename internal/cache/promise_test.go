package cache

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestPromiseOfAnsweredLate: a first packet that a flood washed out before its
// answer came is missing of a session that was answered. No promise reaches
// further back than it.
func TestPromiseOfAnsweredLate(t *testing.T) {
	tp := newTape(t, Options{Bytes: smallBudget, Bias: 2})
	slow := &talk{link: packet.LinkTypeEthernet, proto: ipTCP}
	tp.boot += int64(time.Hour)
	first := tp.add(slow, false, 100)
	begun := tp.boot
	bulk := &talk{link: packet.LinkTypeEthernet, proto: ipUDP}
	inbox := inbox{tape: tp}
	for gone := uint64(0); gone == 0; _, gone = inbox.moved() {
		tp.boot += int64(time.Second)
		inbox.wait(10, 500)
		for range 100 {
			tp.add(bulk, false, 1000)
		}
	}
	s := tp.c.Stats()
	if _, complete := s.PromiseAnswered(0); !complete {
		t.Error("something is missing of answered sessions before there are any")
	}
	tp.boot += int64(10 * time.Second)
	tp.add(slow, true, 100)

	r := tp.c.NewReader()
	r.Begin(Query{Since: first.Time, Until: first.Time})
	if got := times(r); len(got) > 0 {
		t.Fatalf("the first packet is still there: %v", got)
	}
	s = tp.c.Stats()
	age, complete := s.PromiseAnswered(0)
	since := time.Duration(tp.boot - begun)
	if complete || age > since || age < since-200*time.Millisecond {
		t.Errorf("answered sessions are promised whole for %v, complete %v; one of %v ago is not", age, complete, since)
	}
}
