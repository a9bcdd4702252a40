package cache

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// port is a rule on a port of TCP or UDP over plain IPv4.
func port(name string, factor float64, ports ...uint16) Rule {
	return Rule{Filter: name, Factor: factor, Match: func(lt packet.LinkType, data []byte, _ uint32) bool {
		if lt != packet.LinkTypeEthernet || len(data) < 38 || data[12] != 8 || data[14] != 0x45 || data[23] != ipTCP && data[23] != ipUDP {
			return false
		}
		for _, p := range ports {
			if binary.BigEndian.Uint16(data[34:]) == p || binary.BigEndian.Uint16(data[36:]) == p {
				return true
			}
		}
		return false
	}}
}

// TestOfficeRules: of a day in little memory, name lookups count for four times as
// much as other sessions, the web for a tenth, and Windows shares for nothing.
// What is promised to each kind is there.
func TestOfficeRules(t *testing.T) {
	o := needOffice(t)
	c := newCache(t, Options{Bytes: smallBudget, Bias: 2})
	if err := c.SetRules([]Rule{port("names", 4, 53), port("web", 0.1, 80), port("shares", 0, 445)}); err != nil {
		t.Fatal(err)
	}
	present := o.present(t, c, o.replayTo(t, c))
	s := c.Stats()
	checkStats(t, &s)
	usual, _ := s.PromiseAnswered(0)
	var reach []float64
	for i := range s.Rules {
		r := &s.Rules[i]
		age, complete := s.PromiseOf(r, 0)
		reach = append(reach, age.Seconds()/usual.Seconds())
		t.Logf("%s: %d sessions of %v; their first KiB of the last %v, complete %v, that of others of the last %v", r.Filter, r.Sessions, r.Seen, age, complete, usual)
	}
	if _, complete := s.PromiseOf(&s.Rules[0], 0); !complete && reach[0] < 3 || reach[1] > 0.3 || reach[2] > 0 {
		t.Errorf("names, the web and shares are kept %.2f times as long as others", reach)
	}
	rules := map[uint32]int{} // by session, from 1
	var age time.Duration
	ages := make([]time.Duration, len(o.packets))
	for i := len(o.packets) - 1; i > 0; i-- {
		ages[i-1] = age + time.Duration(max(0, o.packets[i].Time-o.packets[i-1].Time))
		age = ages[i-1]
	}
	for i, p := range o.packets {
		at := o.Packets[i]
		if at.Offset == 0 {
			for n := range c.rules {
				if rules[at.Session] == 0 && c.rules[n].Match(o.link, p.Data, 0) {
					rules[at.Session] = 1 + n
				}
			}
		}
		class := classOf(at.Offset, len(p.Data))
		promise, _ := s.PromiseAnswered(class)
		if n := rules[at.Session]; n > 0 {
			promise, _ = s.PromiseOf(&s.Rules[n-1], class)
		}
		if rules[at.Session] == 3 && present[i] {
			t.Fatalf("packet %d of a share is there", i)
		}
		if !present[i] && ages[i] < promise && o.Sessions[at.Session].Packets > 1 {
			t.Fatalf("packet %d, of class %d and under rule %d, is %v old and not there; the promise is %v", i, class, rules[at.Session], ages[i], promise)
		}
	}
}
