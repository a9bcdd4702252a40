package session

import (
	"bytes"
	"testing"
)

// TestForget: the memory of a table that was told to forget is empty but for what
// came meanwhile, and its figures are those of that.
func TestForget(t *testing.T) {
	const slots, summaries = 4 * ways, 50
	memory, ended := make([]byte, slots/ways*bucketSize), make([]byte, summaries*summarySize)
	table, err := NewTable(memory, ended)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Table: table, t: t, decoder: NewDecoder(), now: 1000}
	talk := func(n int) {
		r.see(segment(talker(n), server, tcpACK))
		r.see(segment(server, talker(n), tcpACK))
	}
	forget := func(between func(n int)) {
		n := 0
		for at, more := 0, true; more; n++ {
			at, more = r.Forget(at, 30)
			between(n)
		}
	}
	for n := range 400 {
		talk(n)
	}
	if s := r.Stats(); s.Used < slots/2 || s.Summaries != summaries {
		t.Fatalf("%+v: there is little to forget", s)
	}
	forget(func(int) {})
	if s := r.Stats(); s.Used != 0 || s.Summaries != 0 || s.Seen != 400 {
		t.Errorf("%+v", s)
	}
	if len(bytes.Trim(memory, "\x00")) > 0 || len(bytes.Trim(ended, "\x00")) > 0 {
		t.Error("the memory is not empty")
	}
	if _, event := r.see(segment(talker(7), server, tcpACK)); event != Began {
		t.Error("a session goes on that was forgotten")
	}

	for n := range 400 {
		talk(n)
	}
	old := map[Key]bool{}
	r.Sessions(func(s Summary) bool { old[s.Key] = true; return true })
	forget(func(n int) {
		for i := range 20 {
			talk(1000 + 20*n + i)
		}
	})
	used := 0
	r.Sessions(func(s Summary) bool {
		used++
		if s.Key == (Key{}) || old[s.Key] {
			t.Errorf("%+v is still known", s)
		}
		return true
	})
	if s := r.Stats(); used == 0 || s.Used+s.Summaries != used {
		t.Errorf("%d sessions, %+v", used, s)
	}
}

func TestForgetFragments(t *testing.T) {
	d := NewDecoder()
	first := ipv4Fragment(client, server, protoUDP, 9, 0x2000, udp(client, server))
	later := ipv4Fragment(client, server, protoUDP, 9, 0x0010, make([]byte, 30))
	f := decoded(d, first)
	if g := decoded(d, later); g.Hash != f.Hash {
		t.Fatal("a later fragment does not follow the first")
	}
	d.Forget()
	if g := decoded(d, later); g.Hash == f.Hash {
		t.Error("the first fragment is still known")
	}
}
