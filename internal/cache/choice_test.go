package cache

import (
	"math"
	"testing"
)

// A judge looks at what was evicted, when all is over, and asks whether some
// other class should have lost packets first. It knows which packets went
// together; of each class it compares those that were the next to go.
type judge struct {
	losses   []loss
	compared int
}

// A loss is packets of a class that went together.
type loss struct {
	class  int
	when   int   // the packet that made it necessary
	now    int64 // the clock then
	newest int64 // the clock when the last of them came
	last   int   // serial of the last of them to be written
	// fewest bytes had been taken up before that packet, most bytes when the
	// last of those lost had been written.
	fewest, most uint64
}

func (j *judge) see(m *model, evicted [][]*stored) {
	for class, items := range evicted {
		if len(items) == 0 {
			continue
		}
		l := loss{class: class, when: m.serial, now: m.now, fewest: m.before}
		for _, item := range items {
			l.newest = max(l.newest, item.at)
			written := item.serial
			if item.left > 0 {
				written = item.left
			}
			if written > l.last {
				l.last = written
			}
			l.most = max(l.most, item.most)
		}
		j.losses = append(j.losses, l)
	}
}

func (m *model) score(bias float64, log int, age int64) float64 {
	class, factor := m.place(log)
	return math.Log2(float64(age)+1) + bias*float64(class) - math.Log2(factor)
}

// decide checks each loss against the next loss of every other class: if those
// packets were all there, and behind the newest bytes which are protected,
// their age x 2^(bias x class) / factor must have been no higher. It wants to compare a
// least number of times, so that it does not agree for lack of evidence.
func (j *judge) decide(t *testing.T, m *model, bias float64, protected uint64, least int) {
	t.Helper()
	next := make([]*loss, len(m.logs))
	guessed := func(log int) bool {
		class, _ := m.place(log)
		return class == 0
	}
	for i := len(j.losses) - 1; i >= 0; i-- {
		l := &j.losses[i]
		for class, other := range next {
			// Packets that left probation count from when they came or a little
			// later, so of where they went only bounds are known; and what
			// waits there, or did, has a share.
			if other == nil || class == l.class || l.class == probation || l.class == unanswered || guessed(class) ||
				other.when == l.when || other.last >= l.when || l.fewest-min(l.fewest, other.most) < protected {
				continue
			}
			j.compared++
			if got, want := m.score(bias, l.class, l.now-l.newest), m.score(bias, class, l.now-other.newest); got < want-1e-9 {
				t.Fatalf("packet %d: class %d lost packets of age %d (score %.3f), class %d had some of age %d (score %.3f)",
					l.when, l.class, l.now-l.newest, got, class, l.now-other.newest, want)
			}
		}
		next[l.class] = l
	}
	if j.compared < least {
		t.Errorf("only %d choices could be compared, want %d", j.compared, least)
	}
}
