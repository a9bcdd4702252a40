package seal

import (
	"bytes"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// use does with a file all that can be done with one. What can be read in order
// must be there at random, and the other way round.
func use(t *testing.T, file []byte, id age.Identity) {
	t.Helper()
	name, nameErr := ReadName(bytes.NewReader(file))
	report, err := Verify(bytes.NewReader(file), nil, id)
	if err != nil {
		if f, again := Open(bytes.NewReader(file), nil, id); again == nil {
			t.Fatalf("it cannot be verified (%v) and holds %v", err, f.Found.Count)
		}
		return
	}
	if nameErr != nil || name != report.Name {
		t.Fatalf("it is named %v (%v), and then %v", name, nameErr, report.Name)
	}
	f, err := Open(bytes.NewReader(file), nil, id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if (f.Damage == nil) != (report.Damage == nil) || f.End != report.End {
		t.Fatalf("in order: %v, at random: %v", report.Damage, f.Damage)
	}
	p, err := f.Packets(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var pkt packet.Packet
	count, bytes, last, sorted := uint64(0), uint64(0), int64(math.MinInt64), true
	for p.Next(&pkt) {
		if int(pkt.Interface) >= len(f.Interfaces()) || len(pkt.Data) > packet.MaxLen {
			t.Fatalf("there is a packet of interface %d with %d bytes", pkt.Interface, len(pkt.Data))
		}
		count++
		bytes += uint64(len(pkt.Data))
		sorted = sorted && pkt.Time >= last
		last = pkt.Time
	}
	if lost, _ := p.Lost(); count+lost.Packets != f.Found.Packets {
		t.Fatalf("%d packets and %v lost, of %v", count, lost, f.Found)
	}
	if report.Good() && (!sorted || count != report.Found.Packets || bytes != report.Found.Bytes) {
		t.Fatalf("a good file with %v has %d packets of %d bytes, in order: %t", report.Found, count, bytes, sorted)
	}
}

// FuzzPlaintext is what somebody can write who has the public key.
func FuzzPlaintext(f *testing.F) {
	for seed, segments := range [][]int{{}, {1}, {2, 2}, {1, 1, 1}} {
		f.Add(plaintext(f, newSample(rand.New(rand.NewPCG(20, uint64(seed))), segments...)))
	}
	for _, n := range nonsense() {
		if len(n.plain) < 64<<10 {
			f.Add(n.plain)
		}
	}
	f.Fuzz(func(t *testing.T, plain []byte) { use(t, sealPlain(plain), fixedKey()) })
}

// FuzzFile is what a disk, or somebody without the key, can make of a file.
func FuzzFile(f *testing.F) {
	id, err := age.ParseX25519Identity(fuzzKey)
	if err != nil {
		f.Fatal(err)
	}
	k := keys{machine: id, recovery: id}
	file := newSample(rand.New(rand.NewPCG(21, 1)), 1, 1).seal(f, k)
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add(file[:100])
	f.Add(bytes.Replace(file, []byte("packetcache 1"), []byte("packetcache 2"), 1))
	f.Add(bytes.Replace(file, []byte("-> packetcache"), []byte("-> otherstanza"), 1))
	f.Fuzz(func(t *testing.T, file []byte) { use(t, file, id) })
}

// fuzzKey opens the seeds of FuzzFile, and nothing that matters.
const fuzzKey = "AGE-SECRET-KEY-18YKF7ZUMPSSYFW5ELTAP480NPVPMJV2Q5RXWS6L8HVJKMLFF0EHQ33CPSU"

// A spoilt plaintext and what is wrong with it.
type spoilt struct {
	name  string
	plain []byte
}

// nonsense is plaintext of somebody who means harm.
func nonsense() []spoilt {
	huge := frame(frameSegment, nil)
	huge[frameHeader-1] = 0xff
	many := func(list, element string, n int) []byte {
		return frames(`{"` + list + `":[` + strings.Repeat(element+",", n) + element + `]}`)
	}
	table := `[` + strings.Repeat(`{},`, 1<<12) + `{}]`
	segment := func(change func(*record.Segment)) []byte {
		seg := pack([]cached{{Packet: packet.Packet{Data: []byte("packet"), OrigLen: 6}}}, true)
		change(&seg)
		var b [segmentHeader]byte
		_ = putSegment(&b, &seg)
		if seg.Records > record.MaxRecords || seg.Size > record.MaxSize {
			panic("not encodable")
		}
		end := End{Segments: 1, Packets: uint64(seg.Records), Bytes: seg.Captured}
		return frames(`{"logs":[{}],"tables":[[{"name":"eth0"}]]}`, frame(frameSegment, append(b[:], seg.Data...)), endFrame(end))
	}
	bomb := encoder.EncodeAll(make([]byte, 64<<20), nil)
	return []spoilt{
		{"a segment of 4 GiB", frames(`{}`, huge)},
		{"a head of 4 GiB", append([]byte(magic+testMark+testMark), frameHead, 0xff, 0xff, 0xff, 0xff)},
		{"a head as long as there can be", append([]byte(magic+testMark+testMark), frameHead, 0, 0, 0, 1)},
		{"no JSON", frames(`{`)},
		{"JSON of something else", frames(`[1, 2]`)},
		{"an unknown frame", frames(`{}`, frame(9, nil))},
		{"two heads", frames(`{}`, frame(frameHead, []byte(`{}`)))},
		{"many logs", many("logs", `{}`, 1_300_000)},
		{"many rules", many("rules", `{}`, 1_300_000)},
		{"many tables", many("tables", `[]`, 1_300_000)},
		{"many interfaces", many("tables", table, 300)},
		{"many addresses", frames(`{"tables":[[{"addresses":[` + strings.Repeat(`"",`, 1_300_000) + `""]}]]}`)},
		{"much coverage", many("coverage", `{}`, 1_300_000)},
		{"deep JSON", frames(`{"logs":` + strings.Repeat(`[`, 1_000_000))},
		{"a bomb", segment(func(s *record.Segment) { s.Size = record.MaxSize; s.Data = bomb })},
		{"a frame that ends early", segment(func(s *record.Segment) { s.Data = s.Data[:len(s.Data)-1] })},
		{"tallies without a frame", segment(func(s *record.Segment) { s.Tallies = 2048; s.Many = true })},
		{"a log that is not there", segment(func(s *record.Segment) { s.Log = 7 })},
		{"a table that is not there", segment(func(s *record.Segment) { s.Table = 7 })},
		{"an interface that is not there", segment(func(s *record.Segment) { s.Shares[0].Interface = 7 })},
		{"a codec that is not there", segment(func(s *record.Segment) { s.Codec = 7 })},
		{"more records than there are", segment(func(s *record.Segment) { s.Records = 2 })},
		{"no records", segment(func(s *record.Segment) { s.Records = 0 })},
		{"other bytes", segment(func(s *record.Segment) { s.Captured = 1 << 63 })},
		{"other times", segment(func(s *record.Segment) { s.MinTime, s.MaxTime = 1, 2 })},
		{"a negative age", segment(func(s *record.Segment) { s.Newest = math.MinInt64 })},
		{"other packets by interface", segment(func(s *record.Segment) { s.Shares[0].Packets = 2 })},
		{"no packets by interface", segment(func(s *record.Segment) { s.Shares = nil })},
		{"raw with tallies", segment(func(s *record.Segment) { s.Codec = record.Raw; s.Tallies = 1 })},
		{"raw that is compressed", segment(func(s *record.Segment) { s.Codec = record.Raw; s.Size = len(s.Data) })},
	}
}

// Nothing that somebody writes takes more memory than the bounds allow, or is
// found good.
func TestNonsense(t *testing.T) {
	const most = 48 << 20 // a head of 4 MiB, and what becomes of it
	for _, n := range nonsense() {
		t.Run(n.name, func(t *testing.T) {
			file := sealPlain(n.plain)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			report, err := Verify(bytes.NewReader(file), nil, fixedKey())
			runtime.ReadMemStats(&after)
			if err == nil && report.Good() {
				t.Error("it is found good")
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > most {
				t.Errorf("it took %d MiB", took>>20)
			}
			switch {
			case err == nil:
				use(t, file, fixedKey())
			case !isDamage(err):
				t.Errorf("got %v", err)
			}
		})
	}
}
