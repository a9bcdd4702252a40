package session

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestResize makes a table larger and smaller again and again, while sessions
// come and go on. As long as there is room all are known as they were; where
// there is not, those that are worth least have gone.
func TestResize(t *testing.T) {
	const most, sessions = 64, 900
	random := rand.New(rand.NewPCG(1, 1))
	memory, ended := make([]byte, most*bucketSize), make([]byte, 3000*summarySize)
	table, err := NewTable(memory[:40*bucketSize], ended[:2000*summarySize])
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Table: table, t: t, decoder: NewDecoder(), now: 1000}
	bytes := map[int]uint64{}
	rule := map[int]uint8{}
	for round := range 200 {
		for range 50 {
			n := random.IntN(sessions / 3)
			offset, _ := r.seeLen(segment(talker(n), server, tcpACK), 100)
			if offset != bytes[n] {
				t.Fatalf("round %d: session %d stands at %d, want %d", round, n, offset, bytes[n])
			}
			bytes[n] += 100
			slot := r.slot(segment(talker(n), server, tcpACK))
			if got := r.Rule(slot); got != rule[n] {
				t.Fatalf("round %d: session %d is under rule %d, want %d", round, n, got, rule[n])
			}
			rule[n] = uint8(random.IntN(MaxRule + 1))
			r.SetRule(slot, rule[n])
		}
		if round%8 == 0 {
			var numbers [MaxRule + 1]uint8
			for old := range uint8(MaxRule) {
				numbers[1+old] = uint8(random.IntN(MaxRule + 1))
			}
			r.RenumberRules(&numbers)
			for n := range rule {
				rule[n] = numbers[rule[n]]
			}
		}
		buckets := 30 + random.IntN(most-29)
		if before := int(table.buckets); buckets > before {
			clear(memory[before*bucketSize:]) // as memory that was given back and taken anew
		}
		if err := r.Resize(memory[:buckets*bucketSize], ended[:(1000+random.IntN(2000))*summarySize], r.decoder.Hash, r.now); err != nil {
			t.Fatal(err)
		}
		if s := r.Stats(); s.Capacity != buckets*ways || s.Used != len(bytes) || s.GivenUp != 0 {
			t.Fatalf("round %d: %+v, want %d sessions in %d buckets", round, s, len(bytes), buckets)
		}
	}
}

// TestResizeGivesUp: of more sessions than fit, the silent ones go first, and
// what goes leaves its summary.
func TestResizeGivesUp(t *testing.T) {
	memory, ended := make([]byte, 16*bucketSize), make([]byte, 1000*summarySize)
	table, err := NewTable(memory, ended)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Table: table, t: t, decoder: NewDecoder(), now: 1000}
	const lively, silent = 48, 200
	for n := range silent { // 2 packets each, long ago
		r.see(segment(talker(n), server, tcpACK))
		r.see(segment(talker(n), server, tcpACK))
	}
	r.pass(IdleTCP + time.Minute)
	for n := range lively {
		r.see(segment(talker(1000+n), server, tcpACK))
		r.see(segment(talker(1000+n), server, tcpACK))
	}
	if s := r.Stats(); s.Used != lively+silent {
		t.Fatalf("%+v", s)
	}
	if err := r.Resize(memory[:4*bucketSize], ended, r.decoder.Hash, r.now); err != nil {
		t.Fatal(err)
	}
	s := r.Stats()
	if s.GivenUp != 0 || s.Used > 4*ways || s.Used+s.Summaries != lively+silent {
		t.Errorf("%+v, of %d sessions", s, lively+silent)
	}
	for n := range lively {
		if _, event := r.see(segment(talker(1000+n), server, tcpACK)); event != Usual {
			t.Errorf("live session %d is not known any more", n)
		}
	}
	known := 0
	for range r.Sessions {
		known++
	}
	if known != lively+silent {
		t.Errorf("%d sessions are known in all, of %d", known, lively+silent)
	}
	for _, wrong := range [][2]int{{0, 10}, {bucketSize - 1, summarySize}, {bucketSize, 0}} {
		if err := r.Resize(memory[:wrong[0]], ended[:wrong[1]], r.decoder.Hash, r.now); err == nil {
			t.Errorf("a table was resized to %d and %d bytes", wrong[0], wrong[1])
		}
	}
}

// TestResizeSummaries: the newest summaries stay, in their order.
func TestResizeSummaries(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	slots := make([]Summary, 100)
	r := summaryRing{slots: slots[:10]}
	var want []uint32
	for round := range uint32(2000) {
		r.push(Summary{First: round})
		want = append(want, round)
		want = want[max(0, len(want)-len(r.slots)):]
		if random.IntN(7) == 0 {
			n := 1 + random.IntN(len(slots))
			r.resize(slots[:n])
			want = want[max(0, len(want)-n):]
		}
		var got []uint32
		n := uint64(r.len())
		for i := r.pushed - n; i < r.pushed; i++ {
			got = append(got, r.slots[i%uint64(len(r.slots))].First)
		}
		if len(got) != len(want) {
			t.Fatalf("round %d: %d summaries, want %d", round, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("round %d: %v, want %v", round, got, want)
			}
		}
	}
}
