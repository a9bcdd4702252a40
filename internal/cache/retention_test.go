package cache

import (
	"fmt"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestOfficeAgreesWithModel replays a day packet by packet: what the model
// says of random packets it says of real ones too.
func TestOfficeAgreesWithModel(t *testing.T) {
	o := needOffice(t)
	for _, budget := range []int{MinBytes, 10 << 20, 40 << 20} {
		t.Run(fmt.Sprintf("%dMiB", budget>>20), func(t *testing.T) {
			if raceEnabled && budget > 10<<20 {
				t.Skip("takes too long under the race detector")
			}
			t.Parallel()
			c := newCache(t, Options{Bytes: budget, Bias: 2})
			id := o.announce(t, c)
			m := newModel()
			var judge judge
			var views []*view
			for i, p := range o.packets {
				if i > 0 {
					m.now += max(0, p.Time-o.packets[i-1].Time)
				}
				n := int(o.Packets[i].Session)
				anew := m.sessions[n] == nil
				if anew {
					m.sessions[n] = &modelSession{}
					m.begun++
				}
				p.Interface = id
				m.store(m.sessions[n], anew, &p)
				c.Replay([]packet.Packet{p})
				if i%16 == 0 || evictedPackets(c) != m.gone || c.waiting.moved != m.moved {
					judge.see(m, m.follow(t, c))
				}
				if i%50000 == 0 {
					views = append(views, beginView(c, m, All))
				}
				for j, v := range views {
					v.read(t, j%3) // the first of each three stands still
				}
			}
			m.follow(t, c)
			m.checkContents(t, c)
			for _, v := range views {
				v.read(t, -1)
				v.finish(t)
			}
			judge.decide(t, m, 2, uint64(budget/8), 500)
		})
	}
}

// TestOfficeRetention logs what is left of a day, of 71 MiB of packets, and
// holds the default bias to a floor.
func TestOfficeRetention(t *testing.T) {
	o := needOffice(t)
	for _, budget := range []int{10 << 20, 40 << 20} {
		for _, bias := range []float64{1, 2, 3} {
			c := newCache(t, Options{Bytes: budget, Bias: bias, Compress: true})
			id := o.replayTo(t, c)
			present := o.present(t, c, id)
			r := o.retention(present)
			s := c.Stats()
			checkStats(t, &s)
			overhead := recordOverhead(c)
			memory := s.Unanswered.Memory
			for _, class := range s.Classes {
				memory += class.Memory
			}
			t.Logf("%d MiB, bias %v: the first 4 KiB of %.1f %% of sessions (of more than one packet: %.1f %%), all of %.1f %%; of %d truncated %.1f %% are an exact beginning; "+
				"%.1f bytes a packet in records, %.1f in pages; everything of the last %v, first KiB of the last %v (answered: %v)",
				budget>>20, bias, r.heads, r.answered, r.whole, r.truncated, r.prefixes, overhead,
				float64(memory-int(s.Held().Bytes))/float64(s.Held().Packets), promise(&s, NumClasses-1), promise(&s, 0), s.Classes[0].Horizon.Round(time.Second))
			if overhead > 10 {
				t.Errorf("%.1f bytes a packet, want at most 10", overhead)
			}
			floor, answered := 85.0, 88.0
			if budget > 10<<20 {
				floor, answered = 99, 99
			}
			if r.truncated > 100 && r.prefixes < 90 {
				t.Errorf("of the truncated %.1f %% are an exact beginning, want 90", r.prefixes)
			}
			if bias == 2 && (r.heads < floor || r.answered < answered) {
				t.Errorf("the first 4 KiB of %.1f %% of sessions, want %.0f, of those of more than one packet of %.1f %%, want %.0f", r.heads, floor, r.answered, answered)
			}
			o.checkPromise(t, &s, present)
		}
	}
}

func promise(s *Stats, class int) time.Duration {
	age, _ := s.Promise(class)
	return age.Round(time.Second)
}

// checkPromise: all that is younger than what the cache promises is there.
func (o *office) checkPromise(t *testing.T, s *Stats, present []bool) {
	t.Helper()
	ages := make([]time.Duration, len(o.packets))
	var age time.Duration
	for i := len(o.packets) - 1; i > 0; i-- {
		ages[i] = age
		age += time.Duration(max(0, o.packets[i].Time-o.packets[i-1].Time))
	}
	ages[0] = age
	for i := range o.packets {
		n := uint64(len(o.packets[i].Data))
		class := classOfByte(o.Packets[i].Offset)
		if n > 2048 {
			class = classOfByte(o.Packets[i].Offset + n - 1)
		}
		if age, _ := s.Promise(class); ages[i] < age && !present[i] {
			t.Fatalf("a packet of class %d is %v old and not there; the promise is %v", class, ages[i], age)
		}
	}
}
