package seal

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
	"github.com/packetcache/packetcache/internal/record"
)

// A vectorPacket is how a packet stands in v1.json.
type vectorPacket struct {
	Time      int64  `json:"time_ns"`
	Interface string `json:"interface"`
	Direction int    `json:"direction"`
	Captured  int    `json:"captured_bytes"`
	Wire      uint32 `json:"wire_bytes"`
	Data      string `json:"data,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
}

// The committed file is read as it was written: whoever wrote a reader by
// docs/format.md can rely on it, and a version of the format stays what it is.
//
// UPDATE_VECTOR=1 writes a new one, which a new version of the format needs.
func TestVector(t *testing.T) {
	if os.Getenv("UPDATE_VECTOR") != "" {
		writeVector(t)
	}
	keyFile, err := os.Open(filepath.Join("testdata", "v1.key"))
	if err != nil {
		t.Fatal(err)
	}
	defer keyFile.Close()
	ids, err := age.ParseIdentities(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join("testdata", "v1.sealed"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := Verify(bytes.NewReader(file), nil, ids...)
	if err != nil || !report.Good() || !report.Ended {
		t.Fatalf("it is not good: %v, %+v", err, report)
	}
	f, err := Open(bytes.NewReader(file), nil, ids...)
	if err != nil {
		t.Fatal(err)
	}
	packets, err := packetsOf(f, math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	got := describePackets(packets, f.Interfaces())
	want, err := os.ReadFile(filepath.Join("testdata", "v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("the packets are\n%s", got)
	}
	if h := f.Head; h.Host != "web01" || h.Program != "PacketCache 1.0.0" || !h.Saved.Equal(day) || h.Final ||
		len(h.State.Logs) != 3 || !h.State.Logs[1].Unanswered || *h.State.Logs[0].Lost != 25*time.Hour || len(h.Coverage) != 1 {
		t.Errorf("the head is %+v", h)
	}
}

// describePackets is v1.json.
func describePackets(packets []packet.Packet, interfaces []pcapio.Described) []byte {
	var b bytes.Buffer
	b.WriteString("[\n")
	for i, p := range packets {
		v := vectorPacket{Time: p.Time, Interface: interfaces[p.Interface].Name, Direction: int(p.Direction), Captured: len(p.Data), Wire: p.OrigLen, Data: hex.EncodeToString(p.Data)}
		if len(p.Data) > 64 {
			sum := sha256.Sum256(p.Data)
			v.Data, v.SHA256 = "", hex.EncodeToString(sum[:])
		}
		line, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		if b.Write(line); i < len(packets)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]\n")
	return b.Bytes()
}

// writeVector makes up a file that has most of what there can be.
func writeVector(t *testing.T) {
	t.Helper()
	at := day.UnixNano()
	p := func(after time.Duration, iface packet.InterfaceID, data string, wire int, tie uint16, d packet.Direction) cached {
		return cached{packet.Packet{Time: at + int64(after), Data: []byte(data), OrigLen: uint32(max(wire, len(data))), Interface: iface, Direction: d}, tie}
	}
	// The youngest stands first. Interfaces are numbered by the first table here
	// and by the second in the segment after it.
	heads := [][]cached{
		{
			p(-time.Second, 0, "a query", 0, 0, packet.Outbound),
			p(-time.Second+1500*time.Microsecond, 1, "an answer", 0, 0, packet.Inbound),
			p(-time.Second+1500*time.Microsecond+1, 2, strings.Repeat("many interfaces ", 9), 4096, 0, packet.Inbound),
			p(-time.Second+1500*time.Microsecond+1, 3, "", 60, 1, packet.DirectionUnknown),
			p(-time.Second+1500*time.Microsecond+1, 3, "the same time, twice", 0, 2, packet.DirectionUnknown),
		},
		{p(-time.Hour, 1, "an older query", 0, 0, packet.Outbound), p(-time.Hour+time.Minute, 0, "and its answer", 0, 0, packet.Inbound)},
	}
	unanswered := []cached{
		p(-400*24*time.Hour, 0, "long ago", 0, 0, packet.Outbound),
		p(-30*time.Minute, 0, "out of order", 0, 0, packet.Outbound),
		p(-40*time.Minute, 0, "before it", 0, 0, packet.Outbound),
		{packet.Packet{Time: -7, Data: []byte("before 1970"), OrigLen: 11}, 0},
	}
	bulk := []cached{p(-time.Minute, 0, strings.Repeat("x", 70000), 0, 0, packet.Outbound)}
	lost := 25 * time.Hour
	head := Head{
		Program: "PacketCache 1.0.0", Host: "web01", Saved: day,
		State: record.State{
			Age: 26 * time.Hour, Tables: tables(),
			Rules: []record.Rule{{Filter: "port 53", Factor: 4, Since: time.Hour}},
			Logs: []record.Log{
				{Factor: 1, Segments: 2, Packets: 7, Newest: time.Second, Lost: &lost, Late: &record.Span{Oldest: time.Hour, Newest: time.Minute}},
				{Unanswered: true, Factor: 1, Segments: 1, Packets: 4, Newest: 30 * time.Minute},
				{Class: 7, Factor: 4, Segments: 1, Packets: 1, Newest: time.Minute, EvictedPackets: 9, EvictedBytes: 900, LeftBehind: &lost},
			},
		},
		Coverage: []Coverage{{Time: day.Add(-26 * time.Hour), Kind: "start", Text: "the service started"}},
	}
	k := newKeys(t)
	var file bytes.Buffer
	w, err := NewWriter(&file, k.name(), k.recipients(), &head)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range []record.Segment{pack(heads[0], true), pack(heads[1], false), pack(unanswered, false), pack(bulk, true)} {
		s.Log, s.Table = []int{0, 0, 1, 2}[i], []int{0, 1, 0, 0}[i]
		s.Newest, s.Behind = head.State.Logs[s.Log].Newest, uint64(i)*1000
		if err := w.Segment(&s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(End{Evicted: 3}); err != nil {
		t.Fatal(err)
	}
	for i := range heads[1] {
		heads[1][i].Interface = []packet.InterfaceID{2, 0}[heads[1][i].Interface]
	}
	var all []cached
	for _, list := range [][]cached{heads[0], heads[1], unanswered, bulk} {
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b cached) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.tie, b.tie)) })
	packets := make([]packet.Packet, len(all))
	for i := range all {
		packets[i] = all[i].Packet
	}
	var interfaces []pcapio.Described
	for _, i := range tables()[0] {
		interfaces = append(interfaces, pcapio.Described{Interface: i})
	}
	for name, content := range map[string][]byte{
		"v1.sealed": file.Bytes(),
		"v1.json":   describePackets(packets, interfaces),
		"v1.key":    []byte("# opens v1.sealed, and nothing that matters\n" + k.recovery.String() + "\n"),
	} {
		if err := os.WriteFile(filepath.Join("testdata", name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
