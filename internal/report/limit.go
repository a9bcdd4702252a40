package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/packetcache/packetcache/eventlog"
)

// How many events are reported: of one ID about one subject subjectBurst at
// once and then one every subjectEvery, of one ID about all subjects likewise.
const (
	subjectBurst = 20
	subjectEvery = time.Minute
	idBurst      = 100
	idEvery      = 6 * time.Second
	// tellAfter is how long after the first event that was left out it is told
	// how many there were.
	tellAfter = 5 * time.Minute
	// maxSubjects is how many subjects of one ID are told apart, maxNamed how
	// many are named when it is told what was left out.
	maxSubjects = 200
	maxNamed    = 10
)

// A limiter decides which events are reported.
type limiter struct {
	tell func(suppressed)

	mu  sync.Mutex
	ids map[uint16]*kind
}

// A kind is what the limiter knows of the events of one ID.
type kind struct {
	all      bucket
	subjects map[string]*bucket
	left     *suppressed // nil if nothing was left out
}

// suppressed is what was left out of the events of one ID.
type suppressed struct {
	id     string
	count  uint64
	by     map[string]uint64 // subject
	since  time.Time
	period time.Duration
}

func newLimiter(tell func(suppressed)) *limiter {
	return &limiter{tell: tell, ids: map[uint16]*kind{}}
}

// allow reports whether the event may be reported.
func (l *limiter) allow(o eventlog.Occurrence) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	k := l.kind(o, now)
	return k.subject(o.Subject(), now).take(now, subjectBurst, subjectEvery) && k.all.take(now, idBurst, idEvery)
}

// leave counts an event that is not reported.
func (l *limiter) leave(o eventlog.Occurrence) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	k := l.kind(o, now)
	if k.left == nil {
		k.left = &suppressed{id: o.String(), by: map[string]uint64{}, since: now}
		time.AfterFunc(tellAfter, func() { l.report(k) })
	}
	k.left.count++
	if _, known := k.left.by[o.Subject()]; known || len(k.left.by) < maxNamed {
		k.left.by[o.Subject()]++
	}
}

// kind is what is known of the events of one ID.
func (l *limiter) kind(o eventlog.Occurrence, now time.Time) *kind {
	k := l.ids[o.Event().ID]
	if k == nil {
		k = &kind{all: bucket{tokens: idBurst, at: now}, subjects: map[string]*bucket{}}
		l.ids[o.Event().ID] = k
	}
	return k
}

// report tells what was left out of the events of one ID.
func (l *limiter) report(k *kind) {
	l.mu.Lock()
	left := k.left
	k.left = nil
	l.mu.Unlock()
	if left != nil {
		left.period = time.Since(left.since).Round(time.Second)
		l.tell(*left)
	}
}

// flush tells everything that was left out.
func (l *limiter) flush() {
	l.mu.Lock()
	kinds := slices.Collect(maps.Values(l.ids))
	l.mu.Unlock()
	for _, k := range kinds {
		l.report(k)
	}
}

// subjects names those about which events were left out.
func (s suppressed) subjects() string {
	var list []string
	rest := s.count
	for _, subject := range slices.Sorted(maps.Keys(s.by)) {
		list = append(list, fmt.Sprintf("%d about %s", s.by[subject], subject))
		rest -= s.by[subject]
	}
	if rest > 0 {
		list = append(list, fmt.Sprintf("%d about others", rest))
	}
	return strings.Join(list, ", ")
}

// subject is the bucket of a subject. When there are too many, those that are
// full again go; those that find no room share one.
func (k *kind) subject(name string, now time.Time) *bucket {
	if b := k.subjects[name]; b != nil {
		return b
	}
	if len(k.subjects) >= maxSubjects {
		maps.DeleteFunc(k.subjects, func(_ string, b *bucket) bool {
			b.fill(now, subjectBurst, subjectEvery)
			return b.tokens >= subjectBurst
		})
		if len(k.subjects) >= maxSubjects {
			name = ""
		}
	}
	b := k.subjects[name]
	if b == nil {
		b = &bucket{tokens: subjectBurst, at: now}
		k.subjects[name] = b
	}
	return b
}

// A bucket holds tokens, of which each event takes one and time brings more.
type bucket struct {
	tokens float64
	at     time.Time
}

func (b *bucket) fill(now time.Time, burst float64, every time.Duration) {
	b.tokens = min(burst, b.tokens+float64(now.Sub(b.at))/float64(every))
	b.at = now
}

func (b *bucket) take(now time.Time, burst float64, every time.Duration) bool {
	b.fill(now, burst, every)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
