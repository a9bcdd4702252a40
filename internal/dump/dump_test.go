package dump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// patience is how long something may take that should happen at once.
const patience = 30 * time.Second

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// facts count 3 packets received and 1 dropped at every interface.
type facts struct{}

func (facts) Section() pcapio.Section {
	return pcapio.Section{Application: "PacketCache test", Comments: []string{"nothing was truncated"}}
}
func (facts) Counters() func(packet.InterfaceID) (received, dropped uint64) {
	return func(packet.InterfaceID) (received, dropped uint64) { return 3, 1 }
}

// newCache makes a small cache.
func newCache(t *testing.T) *cache.Cache {
	t.Helper()
	c, err := cache.New(cache.Options{Bytes: 8 << 20, Bias: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// announce adds an interface.
func announce(t *testing.T, c *cache.Cache, name string, lt packet.LinkType) packet.InterfaceID {
	t.Helper()
	id, err := c.Interface(packet.Interface{Name: name, LinkType: lt})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// second is when packet number n was captured.
func second(n int) int64 { return time.Date(2026, 3, 1, 9, 0, n, 0, time.UTC).UnixNano() }

// put stores a packet of an interface.
func put(c *cache.Cache, id packet.InterfaceID, at int64, data string) {
	c.Append([]packet.Packet{{Time: at, Interface: id, Data: []byte(data), OrigLen: uint32(len(data))}})
}

const (
	// An Ethernet header of a type for experiments, and the beginning of an
	// IPv4 header.
	ethernet = "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5"
	ipv4     = "\x45\x00\x00\x20\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02"
)

// A sheet collects a dump.
type sheet struct{ bytes.Buffer }

func (*sheet) SetWriteDeadline(time.Time) error { return nil }

// A content is a capture file taken apart.
type content struct {
	interfaces []packet.Interface
	packets    []packet.Packet
}

func parse(t *testing.T, file []byte) content {
	t.Helper()
	r, err := pcapio.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var c content
	batch := make([]packet.Packet, 1)
	for {
		n, err := r.Batch(batch)
		for _, p := range batch[:n] {
			p.Data = bytes.Clone(p.Data)
			c.packets = append(c.packets, p)
		}
		if errors.Is(err, io.EOF) {
			c.interfaces = r.Interfaces()
			return c
		}
		if err != nil {
			t.Fatalf("after %d packets: %v", len(c.packets), err)
		}
	}
}

// get makes a whole dump.
func get(t *testing.T, d *Dumper, req Request) (content, Result) {
	t.Helper()
	if req.Query.Since == 0 && req.Query.Until == 0 {
		req.Query = cache.All
	}
	var out sheet
	result, err := d.Dump(t.Context(), req, &out)
	if err != nil {
		t.Fatal(err)
	}
	if result.Bytes != int64(out.Len()) {
		t.Errorf("%d bytes came, %d are told", out.Len(), result.Bytes)
	}
	return parse(t, out.Bytes()), result
}

func TestLinkTypes(t *testing.T) {
	for _, test := range []struct {
		name  string
		types []packet.LinkType // of the interfaces, each of which has a packet
		idle  []packet.LinkType // of interfaces that have none
		pcap  packet.LinkType
	}{
		{"none", nil, nil, packet.LinkTypeEthernet},
		{"one without packets", nil, []packet.LinkType{packet.LinkTypeRaw}, packet.LinkTypeRaw},
		{"one", []packet.LinkType{packet.LinkTypeRaw}, nil, packet.LinkTypeRaw},
		{"one with packets and one without", []packet.LinkType{packet.LinkTypeRaw}, []packet.LinkType{packet.LinkType80211}, packet.LinkTypeRaw},
		{"two that Ethernet can stand for", []packet.LinkType{packet.LinkTypeRaw, packet.LinkTypeEthernet}, nil, packet.LinkTypeEthernet},
		{"two strangers", []packet.LinkType{packet.LinkTypeEthernet, packet.LinkType80211}, nil, packet.LinkTypePPI},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCache(t)
			d := New(c, facts{})
			for i, lt := range test.types {
				put(c, announce(t, c, fmt.Sprint("if", i), lt), second(i), ipv4+ethernet)
			}
			for i, lt := range test.idle {
				announce(t, c, fmt.Sprint("idle", i), lt)
			}
			classic, _ := get(t, d, Request{})
			if lt := classic.interfaces[0].LinkType; lt != test.pcap || len(classic.packets) != len(test.types) {
				t.Errorf("pcap of %v with %d packets, want %v with %d", lt, len(classic.packets), test.pcap, len(test.types))
			}
			ng, _ := get(t, d, Request{PCAPNG: true})
			want := append(append([]packet.LinkType{}, test.types...), test.idle...)
			if len(want) == 0 {
				want = []packet.LinkType{packet.LinkTypeEthernet} // tcpdump takes no file without
			}
			if len(ng.interfaces) != len(want) || len(ng.packets) != len(test.types) {
				t.Fatalf("pcapng with %d interfaces and %d packets, want %d and %d", len(ng.interfaces), len(ng.packets), len(want), len(test.types))
			}
			for i, p := range ng.packets {
				if lt := ng.interfaces[p.Interface].LinkType; lt != test.types[i] || string(p.Data) != ipv4+ethernet {
					t.Errorf("packet %d is %v: %x", i, lt, p.Data)
				}
			}
		})
	}
}

// afterHeader does something once the header has been written.
type afterHeader struct {
	sheet
	do func()
}

func (w *afterHeader) Write(p []byte) (int, error) {
	n, err := w.sheet.Write(p)
	if do := w.do; do != nil {
		w.do = nil
		do()
	}
	return n, err
}

// What is captured after a dump began is not in it.
func TestPacketAfterHeader(t *testing.T) {
	c := newCache(t)
	put(c, announce(t, c, "first", packet.LinkTypeRaw), second(1), ipv4)
	out := afterHeader{do: func() { put(c, announce(t, c, "later", packet.LinkTypeEthernet), second(2), ethernet) }}
	if _, err := New(c, facts{}).Dump(t.Context(), Request{Query: cache.All}, &out); err != nil {
		t.Fatal(err)
	}
	if got := parse(t, out.Bytes()); len(got.packets) != 1 || string(got.packets[0].Data) != ipv4 {
		t.Errorf("%d packets came", len(got.packets))
	}
}

// A dump that waits for its turn has sent its header when an interface appears,
// whatever that is. Its packets have their place all the same.
func TestInterfaceWhileWaiting(t *testing.T) {
	for _, test := range []struct {
		name         string
		first, later packet.LinkType
		pcapng       bool
		want         packet.LinkType // of the file, or of the second interface
	}{
		{"pcapng", packet.LinkTypeRaw, packet.LinkTypeEthernet, true, packet.LinkTypeEthernet},
		{"raw IP into Ethernet", packet.LinkTypeEthernet, packet.LinkTypeRaw, false, packet.LinkTypeEthernet},
		{"both raw IP", packet.LinkTypeRaw, packet.LinkTypeRaw, false, packet.LinkTypeEthernet},
		{"Ethernet after raw IP", packet.LinkTypeRaw, packet.LinkTypeEthernet, false, packet.LinkTypeEthernet},
		{"Ethernet after Wi-Fi", packet.LinkType80211, packet.LinkTypeEthernet, false, packet.LinkTypePPI},
		{"Wi-Fi after raw IP", packet.LinkTypeRaw, packet.LinkType80211, false, packet.LinkTypeEthernet},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCache(t)
			d := New(c, facts{})
			put(c, announce(t, c, "first", test.first), second(1), ipv4+ethernet)
			var others sync.WaitGroup
			defer others.Wait()
			release := make(chan struct{})
			for range Parallel {
				others.Go(func() { _, _ = d.Dump(t.Context(), Request{Query: cache.All}, &stuck{release: release}) })
			}
			eventually(t, "no desk is free", func() bool { active, _, _ := d.Activity(); return active == Parallel })
			out := afterHeader{do: func() {
				put(c, announce(t, c, "later", test.later), second(2), ipv4+"later")
				close(release)
			}}
			result, err := d.Dump(t.Context(), Request{PCAPNG: test.pcapng, Query: cache.All}, &out)
			if err != nil {
				t.Fatal(err)
			}
			got := parse(t, out.Bytes())
			if len(got.packets) != 2 || result.Packets != 2 {
				t.Fatalf("%d packets, %d told, want 2", len(got.packets), result.Packets)
			}
			if lt := got.interfaces[len(got.interfaces)-1].LinkType; lt != test.want {
				t.Errorf("the link type is %v, want %v", lt, test.want)
			}
			if !bytes.HasSuffix(got.packets[1].Data, []byte("later")) {
				t.Errorf("the packet is %x", got.packets[1].Data)
			}
		})
	}
}

func TestResult(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	id := announce(t, c, "eth0", packet.LinkTypeEthernet)
	for i := range 100 {
		put(c, id, second(i), ethernet+strings.Repeat("x", 10*i))
	}
	filter, err := ParseFilter("greater 514") // the upper half
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name        string
		req         Request
		first, last int
	}{
		{"all", Request{}, 0, 99},
		{"since", Request{Query: QueryBetween(time.Unix(0, second(10)), time.Time{})}, 10, 99},
		{"until", Request{Query: QueryBetween(time.Time{}, time.Unix(0, second(10)))}, 0, 10},
		{"a filter", Request{Filter: filter}, 50, 99},
		{"a filter and a time", Request{Filter: filter, Query: QueryBetween(time.Time{}, time.Unix(0, second(60)))}, 50, 60},
	} {
		for _, test.req.PCAPNG = range []bool{false, true} {
			got, result := get(t, d, test.req)
			n := test.last - test.first + 1
			if result.Packets != uint64(n) || len(got.packets) != n || result.First != second(test.first) || result.Last != second(test.last) {
				t.Errorf("%s: %+v and %d packets, want %d to %d", test.name, result, len(got.packets), test.first, test.last)
			}
		}
	}
	if got, result := get(t, d, Request{Query: cache.Query{Since: 1, Until: 2}}); len(got.packets) != 0 || result.First != 0 || result.Last != 0 {
		t.Errorf("nothing: %+v", result)
	}
	if _, _, served := d.Activity(); served != 11 {
		t.Errorf("%d dumps served, want 11", served)
	}
}

// A file is never longer than its limit, and as long as whole records allow.
func TestLimit(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	id := announce(t, c, "eth0", packet.LinkTypeEthernet)
	for i := range 100 {
		put(c, id, second(i), ethernet+strings.Repeat("x", 86))
	}
	for _, ng := range []bool{false, true} {
		_, whole := get(t, d, Request{PCAPNG: ng})
		_, empty := get(t, d, Request{PCAPNG: ng, Query: cache.Query{Since: 1, Until: 2}})
		record := (whole.Bytes - empty.Bytes) / 100
		for limit := empty.Bytes; limit <= whole.Bytes+1; limit += record/2 + 1 {
			_, result := get(t, d, Request{PCAPNG: ng, Limit: limit})
			want := min((limit-empty.Bytes)/record, 100)
			if result.Bytes > limit || result.Packets != uint64(want) || result.LimitReached != (want < 100) || result.Missing != 0 {
				t.Errorf("limit %d of %d: %+v, want %d packets", limit, whole.Bytes, result, want)
			}
		}
		var out sheet
		if _, err := d.Dump(t.Context(), Request{PCAPNG: ng, Query: cache.All, Limit: empty.Bytes - 1}, &out); !errors.Is(err, ErrLimit) || out.Len() > 0 {
			t.Errorf("a limit below the header: %v, %d bytes", err, out.Len())
		}
	}
}

// What a client is told to expect is about what comes.
func TestEstimate(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	id := announce(t, c, "eth0", packet.LinkTypeEthernet)
	for i := range 1000 {
		put(c, id, second(i), ethernet+strings.Repeat("x", i))
	}
	for _, ng := range []bool{false, true} {
		_, result := get(t, d, Request{PCAPNG: ng})
		if e := d.Estimate(Request{PCAPNG: ng}); e < result.Bytes*9/10 || e > result.Bytes*11/10 {
			t.Errorf("pcapng %v: %d bytes were estimated, %d came", ng, e, result.Bytes)
		}
	}
}

// Packets larger than the buffer come whole.
func TestLargePackets(t *testing.T) {
	c := newCache(t)
	id := announce(t, c, "eth0", packet.LinkTypeEthernet)
	var want []string
	for i, n := range []int{10, bufferSize - 200, bufferSize, bufferSize + 1, packet.MaxLen - len(ethernet), 20} {
		want = append(want, ethernet+strings.Repeat(string(rune('a'+i)), n))
		put(c, id, second(i), want[i])
	}
	for _, ng := range []bool{false, true} {
		got, _ := get(t, New(c, facts{}), Request{PCAPNG: ng})
		if len(got.packets) != len(want) {
			t.Fatalf("%d packets, want %d", len(got.packets), len(want))
		}
		for i, p := range got.packets {
			if string(p.Data) != want[i] {
				t.Errorf("packet %d has %d bytes, want %d", i, len(p.Data), len(want[i]))
			}
		}
	}
}

// A gate is a Writer that lets the header pass and then waits.
type gate struct {
	sheet
	mu     sync.Mutex
	header chan struct{} // closed when the header has come
	open   chan struct{}
}

func newGate() *gate { return &gate{header: make(chan struct{}), open: make(chan struct{})} }

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.Len() == 0 {
		defer close(g.header)
	} else {
		<-g.open
	}
	return g.sheet.Write(p)
}

// Eight dumps are made at once; the ninth has its header and waits.
func TestParallel(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	put(c, announce(t, c, "eth0", packet.LinkTypeEthernet), second(0), ethernet)
	var gates []*gate
	var dumps sync.WaitGroup
	dump := func(ctx context.Context, want error) {
		g := newGate()
		gates = append(gates, g)
		dumps.Go(func() {
			if _, err := d.Dump(ctx, Request{Query: cache.All}, g); !errors.Is(err, want) {
				t.Errorf("the dump ends with %v, want %v", err, want)
			}
		})
		<-g.header
	}
	for range Parallel {
		dump(t.Context(), nil)
	}
	eventually(t, "8 dumps under way", func() bool { active, _, _ := d.Activity(); return active == Parallel })
	ctx, leave := context.WithCancel(t.Context())
	dump(ctx, context.Canceled)
	dump(t.Context(), nil)
	eventually(t, "2 dumps that wait", func() bool { _, waiting, _ := d.Activity(); return waiting == 2 })
	leave()
	eventually(t, "1 dump that waits", func() bool { _, waiting, _ := d.Activity(); return waiting == 1 })
	for _, g := range gates {
		close(g.open)
	}
	dumps.Wait()
	if active, waiting, served := d.Activity(); active != 0 || waiting != 0 || served != Parallel+1 {
		t.Errorf("%d active, %d waiting, %d served in the end", active, waiting, served)
	}
	for i, g := range gates {
		if want := 24 + 16 + len(ethernet); g.Len() != want && i != Parallel {
			t.Errorf("dump %d has %d bytes, want %d", i, g.Len(), want)
		}
	}
}

// A broken is a Writer that takes a number of writes and then fails.
type broken struct {
	sheet
	takes int
	err   error
}

func (b *broken) Write(p []byte) (int, error) {
	if b.takes == 0 {
		return 0, b.err
	}
	b.takes--
	return b.sheet.Write(p)
}

func TestBrokenClients(t *testing.T) {
	c := newCache(t)
	d := New(c, facts{})
	put(c, announce(t, c, "eth0", packet.LinkTypeEthernet), second(0), ethernet)
	for _, test := range []struct {
		client broken
		want   error
	}{
		{broken{takes: 0, err: io.ErrClosedPipe}, io.ErrClosedPipe},
		{broken{takes: 1, err: io.ErrClosedPipe}, io.ErrClosedPipe},
		{broken{takes: 1, err: os.ErrDeadlineExceeded}, ErrStalled},
	} {
		client := test.client
		result, err := d.Dump(t.Context(), Request{Query: cache.All}, &client)
		if !errors.Is(err, test.want) || result.Bytes != int64(client.Len()) {
			t.Errorf("after %d writes: %+v, %v, want %v", test.client.takes, result, err, test.want)
		}
	}
	if active, waiting, served := d.Activity(); active != 0 || waiting != 0 || served != 0 {
		t.Errorf("%d active, %d waiting, %d served", active, waiting, served)
	}
}

func TestQueryBetween(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 1, time.UTC)
	for _, test := range []struct {
		since, until time.Time
		want         cache.Query
	}{
		{time.Time{}, time.Time{}, cache.All},
		{at, at, cache.Query{Since: at.UnixNano(), Until: at.UnixNano()}},
		{time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), cache.All},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}, cache.Query{Since: math.MaxInt64, Until: math.MaxInt64}},
	} {
		if got := QueryBetween(test.since, test.until); got.Since != test.want.Since || got.Until != test.want.Until {
			t.Errorf("%v to %v: %v, want %v", test.since, test.until, got, test.want)
		}
	}
}
