package cache

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// An inbox is a cache to which hosts send single packets that nobody answers.
type inbox struct {
	*tape
	hosts uint32
}

// wait adds n first packets and returns their timestamps.
func (b *inbox) wait(n, size int) (at []int64) {
	for range n {
		b.hosts++
		p := b.add(&talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: b.hosts}, false, size)
		at = append(at, p.Time)
	}
	return at
}

// moved is how many packets have moved to the unanswered log, gone how many of
// them were evicted.
func (b *inbox) moved() (moved, gone uint64) {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	return b.c.waiting.moved, b.c.logs[unanswered].evicted.Packets
}

// left reports whether segments that all packets have left are still there.
func (b *inbox) left() bool {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	return b.c.logs[probation].oldest != b.c.waiting.next
}

// count reads to the end and returns how often each timestamp came.
func count(r *Reader) map[int64]int {
	got := map[int64]int{}
	for _, at := range times(r) {
		got[at]++
	}
	return got
}

// TestMoveIsSeenOnce: packets that move to the unanswered log while a reader is
// at work come from where they were, for one that begins afterwards from where
// they are; in neither does one come twice or miss, whatever else has gone.
func TestMoveIsSeenOnce(t *testing.T) {
	b := &inbox{tape: newTape(t, Options{Bytes: MinBytes, Bias: 2})}
	first := b.wait(100, 200)
	early := b.c.NewReader()
	early.Begin(All)
	var p packet.Packet
	for range 10 {
		if !early.Next(&p) {
			t.Fatal("the reader has come to its end")
		}
	}
	rest := b.wait(2000, 200)
	if moved, _ := b.moved(); moved < 100 {
		t.Fatalf("%d packets have moved", moved)
	}
	got := count(early)
	for i, at := range first {
		if want := min(1, i/10); got[at] != want {
			t.Errorf("packet %d comes %d times, want %d", i, got[at], want)
		}
	}
	if len(got) != 90 || early.Missing() != 0 {
		t.Errorf("%d packets come and %d are said to be missing", len(got), early.Missing())
	}
	late := b.c.NewReader()
	late.Begin(All)
	got = count(late)
	for i, at := range append(first, rest...) {
		if got[at] != 1 {
			t.Errorf("packet %d comes %d times", i, got[at])
		}
	}
	if len(got) != 2100 || late.Missing() != 0 {
		t.Errorf("%d packets come and %d are said to be missing", len(got), late.Missing())
	}
}

// TestMovedAreMissing: a reader that began before its packets moved and comes
// to them when others have needed their place counts them.
func TestMovedAreMissing(t *testing.T) {
	b := &inbox{tape: newTape(t, Options{Bytes: MinBytes, Bias: 2})}
	b.wait(50, 200)
	r := b.c.NewReader()
	r.Begin(All)
	b.wait(400, 200)
	moved, _ := b.moved()
	bulk := &talk{link: packet.LinkTypeEthernet, proto: ipUDP}
	for b.left() { // until room was needed
		b.add(bulk, false, 1000)
	}
	if _, gone := b.moved(); gone != 0 || moved < 50 {
		t.Fatalf("of %d packets that moved %d were evicted", moved, gone)
	}
	if got := len(times(r)); got != 0 || r.Missing() != 50 {
		t.Errorf("%d packets come, %d are said to be missing", got, r.Missing())
	}
	if s := b.c.Stats(); s.Unanswered.Evicted.Packets != 0 {
		t.Errorf("%d unanswered packets were evicted", s.Unanswered.Evicted.Packets)
	}
}

// TestPromiseOfAnsweredAfterMove: the first packet of a session that is answered
// after it has moved is there, and the promise holds, until it is evicted.
func TestPromiseOfAnsweredAfterMove(t *testing.T) {
	b := &inbox{tape: newTape(t, Options{Bytes: MinBytes, Bias: 2})}
	b.boot += int64(time.Hour)
	slow := &talk{link: packet.LinkTypeEthernet, proto: ipUDP}
	first := b.add(slow, false, 100)
	begun := b.boot
	b.boot += int64(time.Second)
	for moved := uint64(0); moved == 0; moved, _ = b.moved() {
		b.wait(1, 500)
	}
	b.boot += int64(time.Second)
	b.add(slow, true, 100)
	r := b.c.NewReader()
	r.Begin(Query{Since: first.Time, Until: first.Time})
	if got := times(r); len(got) != 1 {
		t.Fatalf("the first packet comes %d times", len(got))
	}
	s := b.c.Stats()
	if _, complete := s.PromiseAnswered(0); !complete {
		t.Error("nothing is missing of sessions that were answered, and the promise says otherwise")
	}
	bulk := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: 1 << 20}
	for gone := uint64(0); gone == 0; _, gone = b.moved() {
		b.boot += int64(time.Second)
		b.wait(10, 500)
		for range 100 {
			b.add(bulk, false, 1000)
		}
	}
	s = b.c.Stats()
	age, complete := s.PromiseAnswered(0)
	since := time.Duration(b.boot - begun)
	if complete || age > since || age < since-200*time.Millisecond {
		t.Errorf("answered sessions are promised whole for %v, complete %v; one of %v ago is not", age, complete, since)
	}
	if s.Classes[0].Evicted.Packets != 0 {
		t.Fatal("class 0 has lost packets of its own")
	}
}

// TestMovedTakeLittleRoom: what has left the probation log takes no room in the
// end, so that first packets that nothing followed are kept within their share
// as long as those that were answered.
func TestMovedTakeLittleRoom(t *testing.T) {
	b := &inbox{tape: newTape(t, Options{Bytes: MinBytes, Bias: 2})}
	for range 1500 {
		b.wait(1, 100)
		for range 9 {
			b.hosts++
			k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: b.hosts}
			b.add(k, false, 100)
			b.add(k, true, 900)
		}
		b.boot += int64(time.Second)
	}
	s := b.c.Stats()
	if s.Classes[0].Evicted.Packets == 0 {
		t.Fatal("the cache is not full")
	}
	if got, want := s.Unanswered.Horizon, s.Classes[0].Horizon; got < want*9/10 {
		t.Errorf("first packets that nothing followed are promised for %v, answered ones for %v", got, want)
	}
	if s.Unanswered.Memory > s.Budget/unansweredShare {
		t.Errorf("they take %d bytes of %d", s.Unanswered.Memory, s.Budget)
	}
}
