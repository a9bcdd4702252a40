package cache

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A talkRule is a rule on the conversations of a test. The cache sees packets
// of these, the model the conversations.
type talkRule struct {
	name   string
	factor float64
	tier   int // as the order of the rules makes it
	link   packet.LinkType
	proto  byte // 0 for any
}

func (r *talkRule) covers(k *talk) bool {
	return k.link == r.link && (r.proto == 0 || k.proto == r.proto)
}

// match is covers for a packet.
func (r *talkRule) match(lt packet.LinkType, data []byte, _ uint32) bool {
	if lt != r.link {
		return false
	}
	ip := map[packet.LinkType]int{packet.LinkTypeEthernet: 14, packet.LinkTypeRaw: 0, packet.LinkTypeLinuxSLL: 16}[lt]
	return r.proto == 0 || len(data) > ip+9 && data[ip] == 0x45 && data[ip+9] == r.proto
}

// someRules have two of one factor, one that others go before, and all there is
// to a factor.
var someRules = []talkRule{
	{"longer", 4, 1, packet.LinkTypeEthernet, ipUDP},
	{"never", 0, 2, packet.LinkTypeLinuxSLL, ipTCP},
	{"shorter", 0.1, 3, packet.LinkTypeRaw, 0},
	{"longer, too", 4, 1, packet.LinkTypeEthernet, ipICMP},
	{"as others", 1, 0, packet.LinkTypeLinuxSLL, ipUDP},
	{"second", 0, 2, packet.LinkTypeEthernet, ipUDP},
}

func setRules(t testing.TB, c *Cache, rules ...talkRule) {
	t.Helper()
	var list []Rule
	for _, r := range slices.Clone(rules) {
		list = append(list, Rule{Filter: r.name, Factor: r.factor, Match: r.match})
	}
	if err := c.SetRules(list); err != nil {
		t.Fatal(err)
	}
}

// every is a rule on the talks over Ethernet whose numbers leave a remainder.
func every(name string, factor float64, of, remainder uint32) Rule {
	return Rule{Filter: name, Factor: factor, Match: func(_ packet.LinkType, data []byte, _ uint32) bool {
		return len(data) > 34 && (binary.BigEndian.Uint32(addressOfA(data))-0x0a000000)%of == remainder
	}}
}

// TestRulesKeepForAsLongAsTheySay: beside a download, sessions of four kinds come
// at the same rate. Each kind is kept in proportion to its factor, and one not at
// all.
func TestRulesKeepForAsLongAsTheySay(t *testing.T) {
	tp := newTape(t, Options{Bytes: 4 * MinBytes, Bias: 2})
	err := tp.c.SetRules([]Rule{every("longer", 4, 5, 1), every("shorter", 0.1, 5, 2), every("never", 0, 5, 3)})
	if err != nil {
		t.Fatal(err)
	}
	const rounds = 28000
	download := &talk{link: packet.LinkTypeEthernet, proto: ipTCP}
	for round := range uint32(rounds) {
		for kind := uint32(1); kind <= 4; kind++ {
			k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: round*5 + kind}
			tp.add(k, false, 500)
			tp.add(k, true, 500)
		}
		for range 5 {
			tp.add(download, false, 1400)
		}
		tp.boot += int64(30 * time.Millisecond)
	}
	s := tp.c.Stats()
	checkStats(t, &s)
	usual, complete := s.PromiseAnswered(0)
	if complete || usual < 20*time.Second {
		t.Fatalf("the others are kept for %v, complete %v: nothing to compare with", usual, complete)
	}
	reach := func(i int) float64 {
		age, complete := s.PromiseOf(&s.Rules[i], 0)
		if complete {
			t.Errorf("rule %q lost nothing", s.Rules[i].Filter)
		}
		return age.Seconds() / usual.Seconds()
	}
	longer, shorter := reach(0), reach(1)
	t.Logf("others %v, the one that counts 4 times as much %.2f times as long, the one of 0.1 %.3f", usual, longer, shorter)
	// Of those kept for a tenth there are some three segments, and the last of them
	// goes as a whole.
	if longer < 3.6 || longer > 4.4 || shorter < 0.08 || shorter > 0.16 {
		t.Errorf("kept %.2f and %.3f times as long, want 4 and 0.1", longer, shorter)
	}
	if age, complete := s.PromiseOf(&s.Rules[2], 0); age != 0 || complete {
		t.Errorf("what is never stored is promised for %v, complete %v", age, complete)
	}
	for i, r := range s.Rules {
		if r.Sessions != rounds || r.Seen != (Count{2 * rounds, 1000 * rounds}) {
			t.Errorf("rule %d: %+v, want %d sessions of 2 packets", i, r, rounds)
		}
	}
	if got := s.Refused[RefusedByRule]; got != (Count{2 * rounds, 1000 * rounds}) {
		t.Errorf("%v left out, want %d sessions", got, rounds)
	}
	// What is there bears it out.
	oldest := map[uint32]int64{}
	r := tp.c.NewReader()
	r.Begin(All)
	var p packet.Packet
	for r.Next(&p) {
		kind := (binary.BigEndian.Uint32(addressOfA(p.Data)) - 0x0a000000) % 5
		if oldest[kind] == 0 {
			oldest[kind] = p.Time
		}
	}
	age := func(kind uint32) float64 { return float64(tp.now - oldest[kind]) }
	if longer := age(1) / age(4); longer < 3.4 || longer > 4.6 || oldest[3] != 0 || age(2) > 0.3*age(4) {
		t.Errorf("the oldest packets are %v old", []float64{age(1), age(2), age(3), age(4)})
	}
}

// TestFewAreKeptNoLonger: sessions too few to fill a segment within their time are
// let go all the same.
func TestFewAreKeptNoLonger(t *testing.T) {
	tp := newTape(t, Options{Bytes: smallBudget, Bias: 2})
	if err := tp.c.SetRules([]Rule{every("shorter", 0.1, 5, 2)}); err != nil {
		t.Fatal(err)
	}
	few := int64(0) // time of the oldest of them
	for round := range uint32(20000) {
		k := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: round*5 + 1}
		if round%100 == 0 {
			k.n++
		}
		tp.add(k, false, 500)
		tp.add(k, true, 500)
		tp.boot += int64(30 * time.Millisecond)
	}
	r := tp.c.NewReader()
	r.Begin(All)
	var p packet.Packet
	for r.Next(&p) {
		if few == 0 && (binary.BigEndian.Uint32(addressOfA(p.Data))-0x0a000000)%5 == 2 {
			few = p.Time
		}
	}
	s := tp.c.Stats()
	usual, _ := s.PromiseAnswered(0)
	// In a round of two packets 2 ms pass by their timestamps, 32 by the clock.
	if age := time.Duration(tp.now-few) * 16; few == 0 || age > usual*35/100 {
		t.Errorf("the oldest is %v old, others are kept for %v", age, usual)
	}
}

// TestFirstPacketDecides: a session stays under the rule that its first packet
// matched, the first in the order; its first packet follows it out of probation.
func TestFirstPacketDecides(t *testing.T) {
	tp := newTape(t, Options{Bytes: MinBytes, Bias: 2})
	small := Rule{Filter: "small", Factor: 2, Match: func(_ packet.LinkType, data []byte, _ uint32) bool { return len(data) == 100 }}
	if err := tp.c.SetRules([]Rule{small, every("all", 3, 1, 0)}); err != nil {
		t.Fatal(err)
	}
	a := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: 1}
	b := &talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: 2}
	for _, size := range []int{100, 300} {
		tp.add(a, false, size)
		tp.add(b, false, 400-size)
	}
	s := tp.c.Stats()
	for i, r := range s.Rules {
		if r.Sessions != 1 || r.Seen != (Count{2, 400}) || r.Tier != 1+i || s.Tiers[i].Classes[0].Held != (Count{2, 400}) {
			t.Errorf("%+v, and in its tier %+v", r, s.Tiers[i].Classes[0])
		}
	}
	// A session that begins anew is decided anew.
	tp.boot += int64(3 * time.Minute)
	tp.add(a, false, 300)
	if s = tp.c.Stats(); s.Rules[0].Sessions != 1 || s.Rules[1].Sessions != 2 {
		t.Errorf("%+v", s.Rules)
	}
}

func TestTooManyRules(t *testing.T) {
	c := newCache(t, Options{Bytes: MinBytes})
	rules := slices.Repeat([]Rule{every("", 1, 1, 0)}, MaxRules+1)
	if err := c.SetRules(rules); err == nil || !strings.Contains(err.Error(), "at most 16") {
		t.Errorf("%d rules: %v", len(rules), err)
	}
	if err := c.SetRules(rules[1:]); err != nil {
		t.Error(err)
	}
}

// TestRulesPrepare: rules see a link type before they see a packet of it.
func TestRulesPrepare(t *testing.T) {
	var seen []packet.LinkType
	packets := 0
	rule := Rule{Filter: "spy", Factor: 2, Match: func(lt packet.LinkType, data []byte, _ uint32) bool {
		if data != nil {
			packets++
		} else {
			seen = append(seen, lt)
		}
		return false
	}}
	c := newCache(t, Options{Bytes: MinBytes})
	if err := c.SetRules([]Rule{rule}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Interface(packet.Interface{Name: "new", LinkType: packet.LinkTypeNull}); err != nil {
		t.Fatal(err)
	}
	want := []packet.LinkType{packet.LinkTypeEthernet, packet.LinkTypeRaw, packet.LinkTypeLinuxSLL, linkUnknown, packet.LinkTypeNull}
	if !slices.Equal(seen, want) || packets > 0 {
		t.Errorf("%v, want %v; %d packets", seen, want, packets)
	}
}

// A livePacket is one of TestRulesChangeLive.
type livePacket struct {
	session *liveSession
	class   int
	at      int64 // the cache's clock
}

// A liveSession is one of TestRulesChangeLive.
type liveSession struct {
	talk    talk
	bytes   uint64
	packets int
	rule    string // the name of its rule, empty if it has none
}

// TestRulesChangeLive changes the rules and the budget and restarts, again and
// again, while sessions go on. Nothing gets lost by that, the logs stay whole, and
// what is promised to the sessions under a rule, and to all others, is there.
func TestRulesChangeLive(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	tp := newTape(t, Options{Bytes: MinBytes, Most: 2 * MinBytes, Bias: 2})
	var rules []Rule
	var active []*liveSession
	var packets []livePacket
	byTime := map[int64]int{}
	decide := func(data []byte) string {
		for _, r := range rules {
			if r.Match(packet.LinkTypeEthernet, data, 0) {
				return r.Filter
			}
		}
		return ""
	}
	choose := func() (before []Rule) {
		before, rules = rules, nil
		for i, name := range []string{"a", "b", "c", "d"} {
			if random.IntN(3) > 0 {
				rules = append(rules, every(name, []float64{4, 4, 1, 0.1, 20, 0}[random.IntN(6)], 5, uint32(i)))
			}
		}
		random.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		return before
	}
	leave := func(before []Rule) {
		factor := func(list []Rule, name string) float64 {
			if i := slices.IndexFunc(list, func(r Rule) bool { return r.Filter == name }); i >= 0 {
				return list[i].Factor
			}
			return -1
		}
		for _, p := range packets {
			name := p.session.rule
			if now := factor(rules, name); now < 0 || (now == 0) != (factor(before, name) == 0) {
				p.session.rule = ""
			}
		}
	}
	change := func() {
		before := choose()
		held, evicted := tp.c.Stats(), evictedPackets(tp.c)
		if err := tp.c.SetRules(rules); err != nil {
			t.Fatal(err)
		}
		if s := tp.c.Stats(); s.Held() != held.Held() || evictedPackets(tp.c) != evicted {
			t.Fatalf("%v held before, %v after the rules were changed", held.Held(), s.Held())
		}
		leave(before)
	}
	options := Options{Bytes: MinBytes, Most: 2 * MinBytes, Bias: 2, Boot: func() int64 { return tp.boot }}
	// The rules may change while the service is away, and while it restores.
	restart := func() {
		saved := saveAll(t, tp.c)
		if err := tp.c.Close(); err != nil {
			t.Fatal(err)
		}
		before := rules
		if random.IntN(2) == 0 {
			before = choose()
		}
		away := time.Duration(random.IntN(int(time.Hour)))
		tp.boot += int64(away)
		tp.c = newCache(t, options)
		if err := tp.c.SetRules(rules); err != nil {
			t.Fatal(err)
		}
		leave(before)
		active = nil // what goes on begins anew
		r, err := tp.c.NewRestorer(&saved.state, away)
		if err != nil {
			t.Fatal(err)
		}
		most, changes := len(saved.segments), random.IntN(3) == 0
		if random.IntN(3) == 0 {
			most = random.IntN(most)
		}
		for i := range saved.segments[:most] {
			if changes && i == most/2 {
				change()
			}
			if i%100 == 50 {
				checkPromises(t, tp, packets, byTime)
			}
			if _, err := r.Add(&saved.segments[i]); err != nil {
				t.Fatal(err)
			}
		}
		r.End()
		checkPromises(t, tp, packets, byTime)
	}
	total := 40000
	if raceEnabled {
		total = 10000
	}
	left := 0
	for i := range total {
		switch random.IntN(3000) {
		case 0, 1:
			change()
		case 4:
			restart()
		case 2, 3:
			if err := tp.c.Resize(MinBytes + random.IntN(MinBytes)); err != nil {
				t.Fatal(err)
			}
		}
		if len(active) < 40 {
			active = append(active, &liveSession{talk: talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(i)}})
		}
		k := random.IntN(len(active))
		s := active[k]
		tp.boot += int64(random.IntN(40)) * int64(time.Millisecond)
		p := tp.add(&s.talk, s.packets%2 == 1, 60+random.IntN(1440))
		if s.packets == 0 {
			s.rule = decide(p.Data)
		}
		byTime[p.Time] = len(packets)
		packets = append(packets, livePacket{s, classOfByte(s.bytes), tp.boot})
		s.bytes += uint64(len(p.Data))
		if s.packets++; random.IntN(30) == 0 {
			active = slices.Delete(active, k, k+1)
		}
		if i%2000 == 1999 {
			left += checkPromises(t, tp, packets, byTime)
		}
	}
	if s := tp.c.Stats(); s.Sessions.GivenUp > 0 || s.Evicted.Packets+s.Before.Packets == 0 || left == 0 {
		t.Errorf("%d sessions given up, %v and before that %v evicted, %d missing ones compared", s.Sessions.GivenUp, s.Evicted, s.Before, left)
	}
}

// checkPromises holds what is there against what is promised, and returns how
// many packets are missing.
func checkPromises(t *testing.T, tp *tape, packets []livePacket, byTime map[int64]int) (missing int) {
	t.Helper()
	tp.c.checkLogs(t)
	s := tp.c.Stats()
	checkStats(t, &s)
	here := make([]bool, len(packets))
	r := tp.c.NewReader()
	r.Begin(All)
	var p packet.Packet
	for r.Next(&p) {
		here[byTime[p.Time]] = true
	}
	for i, p := range packets {
		if here[i] || p.session.packets < 2 {
			continue
		}
		missing++
		promise, complete := s.PromiseAnswered(p.class)
		for n := range s.Rules {
			if s.Rules[n].Filter == p.session.rule {
				promise, _ = s.PromiseOf(&s.Rules[n], p.class)
				complete = false
			}
		}
		if age := time.Duration(tp.boot - p.at); complete && age <= s.Age || age < promise {
			t.Fatalf("packet %d of %d, of class %d and under rule %q, is not there and %v old; promised are %v, complete %v", i, len(packets), p.class, p.session.rule, age, promise, complete)
		}
	}
	return missing
}

// checkLogs checks how segments hang together.
func (c *Cache) checkLogs(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	users := map[uint8]int{}
	for i := range c.logs {
		l := &c.logs[i]
		segments, pages, last, newest := 0, 0, noSegment, int64(math.MinInt64)
		for slot := l.oldest; slot != noSegment; slot = c.segments.slots[slot].next {
			seg := &c.segments.slots[slot]
			// What waited counts from when it came.
			if class, _ := c.placeOf(i); class > 0 && seg.newest < newest {
				t.Fatalf("log %d: a segment of %d after one of %d", i, seg.newest, newest)
			}
			segments, pages, last, newest = segments+1, pages+int(seg.pages), slot, seg.newest
			users[seg.table]++
		}
		if segments != l.segments || pages != l.pages || last != l.youngest {
			t.Fatalf("log %d has %d segments of %d pages up to slot %d, its books say %d, %d and %d", i, segments, pages, last, l.segments, l.pages, l.youngest)
		}
		if l.head != nil && l.head != &c.segments.slots[l.youngest] {
			t.Fatalf("log %d: the open segment is not the youngest", i)
		}
	}
	for i := range c.tables {
		if i > 0 && c.restorer == nil && c.tables[i].users != users[uint8(i)] {
			t.Fatalf("table %d has %d users, its books say %d", i, users[uint8(i)], c.tables[i].users)
		}
	}
}
