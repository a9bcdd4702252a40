package session

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A rig is a table with a clock that is moved by hand.
type rig struct {
	*Table
	t       testing.TB
	decoder *Decoder
	now     uint32
}

// newRig makes a table of at least that many slots.
func newRig(t testing.TB, slots, summaries int) *rig {
	t.Helper()
	buckets := (slots + ways - 1) / ways
	table, err := NewTable(make([]byte, buckets*bucketSize), make([]byte, summaries*summarySize))
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Stats().Capacity; got != buckets*ways {
		t.Fatalf("a table of %d slots, want %d", got, buckets*ways)
	}
	return &rig{Table: table, t: t, decoder: NewDecoder(), now: 1000}
}

func (r *rig) pass(d time.Duration) { r.now += uint32(d / Tick) }

// see shows the table an IP packet and returns what the table says.
func (r *rig) see(data []byte) (offset uint64, event Event) {
	r.t.Helper()
	return r.seeLen(data, uint32(len(data)))
}

func (r *rig) seeLen(data []byte, length uint32) (offset uint64, event Event) {
	r.t.Helper()
	link := packet.LinkTypeRaw
	if data[0] == 2 { // a hardware address
		link = packet.LinkTypeEthernet
	}
	var f Flow
	r.decoder.Decode(link, data, &f)
	slot, offset, event := r.Visit(&f, r.Find(f.Hash), r.now, length)
	if found := r.Find(f.Hash); found < 0 || r.tags[found] != tagOf(f.Hash) || !r.is(slot, f.Hash) {
		r.t.Fatalf("Find gives slot %d, Visit %d", found, slot)
	}
	return offset, event
}

// slot is where the session of an IP packet stands.
func (r *rig) slot(data []byte) int {
	var f Flow
	r.decoder.Decode(packet.LinkTypeRaw, data, &f)
	return r.search(f.Hash)
}

// want sees a packet of 100 bytes and says what must come of it.
func (r *rig) want(what string, data []byte, offset uint64, event Event) {
	r.t.Helper()
	if o, e := r.seeLen(data, 100); o != offset || e != event {
		r.t.Errorf("%s: offset %d, event %d; want %d, %d", what, o, e, offset, event)
	}
}

// talker is the n-th of many clients.
func talker(n int) end {
	c := client
	c.port = uint16(n)
	b := c.v4.As4()
	b[1] += byte(n >> 16)
	c.v4 = netip.AddrFrom4(b)
	return c
}

func segment(from, to end, flags byte) []byte { return ipv4(from, to, protoTCP, tcp(from, to, flags)) }

func TestTableCounts(t *testing.T) {
	r := newRig(t, 32, 8)
	r.want("SYN", segment(server, client, tcpSYN), 0, Began)
	r.pass(time.Second)
	r.want("SYN ACK", segment(client, server, tcpSYN|tcpACK), 100, Usual)
	r.want("ACK", segment(server, client, tcpACK), 200, Usual)
	r.want("another session", segment(talker(9), server, tcpSYN), 0, Began)
	r.want("data", segment(server, client, tcpACK), 300, Usual)
	all := r.all()
	if len(all) != 2 {
		t.Fatalf("%d sessions, want 2: %v", len(all), all)
	}
	for _, s := range all {
		if _, port := s.Key.Ports(); port != 443 {
			t.Errorf("the server's port is %d", port)
		}
		if a, _ := s.Key.Ports(); a != client.port {
			continue
		}
		want := Summary{Key: s.Key, First: 1000, Last: 1016, Packets: [2]uint32{1, 3}, Bytes: [2]uint64{100, 300}}
		if s != want {
			t.Errorf("%+v, want %+v", s, want)
		}
	}
}

func (r *rig) all() (all []Summary) {
	r.Sessions(func(s Summary) bool {
		all = append(all, s)
		return true
	})
	return all
}

func TestSessionsEndIdle(t *testing.T) {
	for _, test := range []struct {
		name  string
		data  []byte
		limit time.Duration
	}{
		{"TCP", segment(client, server, tcpACK), IdleTCP},
		{"UDP", udp4(client, server), IdleOther},
		{"ICMP", ipv4(client, server, protoICMP, u32(1)), IdleOther},
		{"ARP", ethernet(client, server, etherARP, make([]byte, 28)), IdleOther},
	} {
		r := newRig(t, 32, 8)
		r.want(test.name, test.data, 0, Began)
		r.pass(test.limit)
		r.want(test.name+" at the limit", test.data, 100, Usual)
		r.pass(test.limit)
		r.pass(Tick)
		r.want(test.name+" behind the limit", test.data, 0, Began)
		if s := r.Stats(); s.Seen != 2 || s.Used != 1 || s.Summaries != 1 || s.GivenUp != 0 {
			t.Errorf("%s: %+v", test.name, s)
		}
	}
}

func TestSYNAfterTheEnd(t *testing.T) {
	syn, ack := segment(client, server, tcpSYN), segment(client, server, tcpACK)
	for _, end := range []byte{tcpFIN | tcpACK, tcpRST, tcpRST | tcpACK} {
		r := newRig(t, 32, 8)
		r.want("SYN", syn, 0, Began)
		r.want("SYN again", syn, 100, Usual)
		r.want("end", segment(server, client, end), 200, Usual)
		r.want("data behind the end", ack, 300, Usual)
		r.want("SYN ACK behind the end", segment(server, client, tcpSYN|tcpACK), 400, Usual)
		r.want("new SYN", syn, 0, Began)
		r.want("SYN again", syn, 100, Usual)
	}
	r := newRig(t, 32, 8)
	r.want("a session that is only its end", segment(server, client, tcpRST), 0, Began)
	r.want("SYN", syn, 0, Began)
}

func TestTalkWithoutEndRestarts(t *testing.T) {
	group := server
	group.v4 = netip.AddrFrom4([4]byte{239, 1, 2, 3})
	for name, data := range map[string][]byte{
		"ping":      ipv4(client, server, protoICMP, u32(8<<24, 1)),
		"ARP":       ethernet(client, server, etherARP, make([]byte, 28)),
		"multicast": udp4(client, group),
	} {
		r := newRig(t, 32, 8)
		for round := range 3 {
			r.want(name, data, 0, Began)
			for i := range 4 {
				r.pass(time.Minute)
				r.want(name, data, uint64(100*(i+1)), Usual)
			}
			r.pass(time.Minute - Tick)
			r.want(name+" just before", data, 500, Usual)
			r.pass(Tick)
			if s := r.Stats(); s.Seen != uint64(round+1) {
				t.Errorf("%s: %d sessions in round %d", name, s.Seen, round)
			}
		}
	}
	r := newRig(t, 32, 8)
	r.want("a conversation", udp4(client, server), 0, Began)
	for i := range 60 {
		r.pass(time.Minute)
		r.want("a conversation of an hour", udp4(server, client), uint64(100*(i+1)), Usual)
	}
}

// TestMidstream: TCP without SYN is a head, except while the table overflows.
func TestMidstream(t *testing.T) {
	r := newRig(t, ways, 8)
	r.want("without SYN in peace", segment(talker(0), server, tcpACK), 0, Began)
	fill(r, 1, ways+1)
	r.want("without SYN under pressure", segment(talker(5000), server, tcpACK), MidstreamOffset, Began)
	r.want("its next packet", segment(talker(5000), server, tcpACK), MidstreamOffset+100, Usual)
	r.want("SYN under pressure", segment(talker(5001), server, tcpSYN), 0, Began)
	r.want("UDP under pressure", udp4(talker(5002), server), 0, Began)
	// It takes sessions that are live, not their number, to be under pressure.
	before := r.Stats().GivenUp
	r.pass(pressure + Tick)
	r.want("without SYN later", segment(talker(5003), server, tcpACK), 0, Began)
	r.want("without SYN later", segment(talker(5004), server, tcpACK), 0, Began)
	if given := r.Stats().GivenUp; given != before {
		t.Errorf("%d live sessions were given up in between", given-before)
	}
	for _, s := range r.all() {
		if port, _ := s.Key.Ports(); port == 5000 && s.Bytes[0] != 200 {
			t.Errorf("the session of midstream counts %d bytes, want the 200 that were seen", s.Bytes[0])
		}
	}
}

// fill begins TCP sessions of two packets each.
func fill(r *rig, from, to int) {
	for n := from; n < to; n++ {
		r.see(segment(talker(n), server, tcpSYN))
		r.see(segment(server, talker(n), tcpSYN|tcpACK))
	}
}

// TestVictims: in a bucket that is full the ended go before the unanswered,
// they before the live, and of equals the one idle longest.
func TestVictims(t *testing.T) {
	r := newRig(t, ways, 1000)
	known := func(n int) bool {
		var f Flow
		r.decoder.Decode(packet.LinkTypeRaw, segment(talker(n), server, tcpACK), &f)
		return r.search(f.Hash) >= 0
	}
	// Sessions 0 to 9 have two packets, 10 to 19 one, the rest two again, each
	// a second older than the next.
	for n := range ways {
		r.see(segment(talker(n), server, tcpSYN))
		if n < 10 || n >= 20 {
			r.see(segment(server, talker(n), tcpSYN|tcpACK))
		}
		r.pass(time.Second)
	}
	r.want("session 3 lives on", segment(talker(3), server, tcpACK), uint64(2*len(segment(client, server, 0))), Usual)
	expect := []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	begin := func(n int) {
		r.see(segment(talker(n), server, tcpSYN))
		r.see(segment(server, talker(n), tcpSYN|tcpACK))
	}
	newcomer := 1000
	for _, victim := range expect {
		if !known(victim) {
			t.Fatalf("%d has gone before its turn", victim)
		}
		begin(newcomer)
		newcomer++
		if known(victim) {
			t.Errorf("unanswered session %d is still there", victim)
		}
	}
	if s := r.Stats(); s.GivenUp != 0 || s.Summaries != 0 {
		t.Errorf("after unanswered sessions went: %+v", s)
	}
	for i, victim := range []int{0, 1, 2, 4, 5} {
		begin(newcomer)
		newcomer++
		if s := r.Stats(); known(victim) || s.GivenUp != uint64(i+1) || s.Summaries != i+1 {
			t.Errorf("live session %d is still there: %v; %+v", victim, known(victim), s)
		}
	}
	if !known(3) {
		t.Error("the live session that spoke last went first")
	}
	// Let all end, then let one speak: the ended go before one unanswered.
	r.pass(IdleTCP + time.Minute)
	begin(3)
	r.see(segment(talker(2000), server, tcpSYN))
	before := r.Stats().GivenUp
	for range ways - 2 {
		begin(newcomer)
		newcomer++
	}
	if !known(3) || !known(2000) || r.Stats().GivenUp != before {
		t.Errorf("with ended sessions about, live ones went: %+v", r.Stats())
	}
}

func TestSummariesAreFIFO(t *testing.T) {
	const room = 10
	r := newRig(t, ways, room)
	syn := segment(client, server, tcpSYN)
	for n := range 25 {
		r.seeLen(segment(talker(n), server, tcpSYN), uint32(1000+n))
		r.seeLen(segment(server, talker(n), tcpACK), uint32(2000+n))
		r.seeLen(segment(talker(n), server, tcpRST), 60)
		r.pass(Tick)
	}
	for n := range 25 { // a SYN behind the end retires the session
		r.see(segment(talker(n), server, tcpSYN))
	}
	all := r.all()
	if len(all) != room+25 || r.Stats().Summaries != room {
		t.Fatalf("%d sessions listed, %+v", len(all), r.Stats())
	}
	for i, s := range all[:room] {
		n := 25 - room + i
		port, _ := s.Key.Ports()
		want := Summary{Key: s.Key, First: uint32(1000 + n), Last: uint32(1000 + n), Packets: [2]uint32{2, 1}, Bytes: [2]uint64{uint64(1060 + n), uint64(2000 + n)}}
		if int(port) != n || s != want {
			t.Errorf("summary %d: %+v, want port %d and %+v", i, s, n, want)
		}
	}
	for _, s := range all[room:] {
		if s.Packets != [2]uint32{1, 0} || s.Bytes != [2]uint64{uint64(len(syn)), 0} {
			t.Errorf("a session that has begun anew is %+v", s)
		}
	}
	n := 0
	r.Sessions(func(Summary) bool { n++; return n < 3 })
	if n != 3 {
		t.Errorf("Sessions went on to %d after it was told to stop at 3", n)
	}
	n = 0
	r.Sessions(func(Summary) bool { n++; return n < room+2 })
	if n != room+2 {
		t.Errorf("Sessions went on to %d after it was told to stop at %d", n, room+2)
	}
}

// TestTableMemory: a table stays in the memory it was given.
func TestTableMemory(t *testing.T) {
	const guard = 4096
	canary := bytes.Repeat([]byte{0xa5}, guard)
	for _, size := range []int{bucketSize, 3*bucketSize + 100, 64 << 10} {
		memory := append(make([]byte, guard+size), canary...)
		ended := append(make([]byte, guard+size/4), canary...)
		copy(memory, canary)
		copy(ended, canary)
		table, err := NewTable(memory[guard:guard+size:guard+size], ended[guard:guard+size/4:guard+size/4])
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{Table: table, t: t, decoder: NewDecoder()}
		for n := range 5000 {
			r.see(segment(talker(n), server, tcpSYN))
			r.see(segment(server, talker(n), tcpACK))
			r.pass(Tick)
			if s := r.Stats(); s.Used > s.Capacity || s.Used > n+1 {
				t.Fatalf("%+v", s)
			}
		}
		if s := r.Stats(); len(r.all()) != s.Used+s.Summaries || s.Seen != 5000 {
			t.Errorf("%d sessions listed, %+v", len(r.all()), s)
		}
		for _, m := range [][]byte{memory[:guard], memory[guard+size:], ended[:guard], ended[guard+size/4:]} {
			if !bytes.Equal(m, canary) {
				t.Errorf("a table of %d bytes wrote beside its memory", size)
			}
		}
	}
	for _, sizes := range [][2]int{{0, 0}, {bucketSize - 1, 1000}, {bucketSize, 0}, {bucketSize, summarySize - 1}} {
		if table, err := NewTable(make([]byte, sizes[0]), make([]byte, sizes[1])); err == nil {
			t.Errorf("a table in %d and %d bytes: %+v", sizes[0], sizes[1], table.Stats())
		}
	}
}

// TestTableFillsEvenly: buckets overflow only when the table is nearly full.
func TestTableFillsEvenly(t *testing.T) {
	r := newRig(t, 32768, 8)
	n := r.Stats().Capacity * 6 / 10
	fill(r, 0, n)
	// By chance, with a seed of its own each time, 6 on average, with a standard
	// deviation of 4; with half as many places in a bucket it would be 77.
	if s := r.Stats(); s.GivenUp > 40 {
		t.Errorf("%d of %d sessions were given up at 60 %% load", s.GivenUp, n)
	}
}

func TestTableAllocatesNothing(t *testing.T) {
	r := newRig(t, 1024, 64)
	var packets [][]byte
	for n := range 3000 {
		packets = append(packets, segment(talker(n), server, tcpACK), segment(server, talker(n), tcpFIN))
	}
	var f Flow
	if n := testing.AllocsPerRun(3, func() {
		for _, data := range packets {
			r.decoder.Decode(packet.LinkTypeRaw, data, &f)
			r.Visit(&f, r.Find(f.Hash), r.now, 100)
			r.now++
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
