package pcctl

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/guard"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/seal"
)

// Where a sealed file and its keys stand after writeSealed.
const (
	sealedName   = "PacketCache.sealed"
	machineKey   = "machine.key"
	recoveryKey  = "recovery.key"
	sealedPerLog = 12
)

// writeSealed puts a sealed cache into dir: 480 packets of UDP in two logs, which
// compress so little that the file has some ten chunks.
func writeSealed(dir string) error {
	var recipients []age.Recipient
	var name string
	for _, file := range []string{machineKey, recoveryKey} {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return err
		}
		if name == "" {
			name = id.Recipient().String()
		}
		recipients = append(recipients, id.Recipient())
		text := "# created: 2026-03-01T09:00:00Z\n# public key: " + id.Recipient().String() + "\n" + id.String() + "\n"
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			return err
		}
	}
	var file bytes.Buffer
	w, err := seal.NewWriter(&file, name, recipients, sealedHead())
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 2))
	for log := range 2 {
		for i := range sealedPerLog {
			s := sealedSegment(r, log, i)
			if err := w.Segment(&s); err != nil {
				return err
			}
		}
	}
	if err := w.Close(seal.End{Evicted: 1}); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, sealedName), file.Bytes(), 0o600)
}

// sealedAt is when the file was sealed.
var sealedAt = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func sealedHead() *seal.Head {
	lost := 2 * time.Hour
	return &seal.Head{
		Program: "PacketCache 1.2.3", Host: "web02", Saved: sealedAt, Final: true,
		State: record.State{
			Age:    5 * time.Hour,
			Tables: [][]packet.Interface{{{Name: "eth0", LinkType: packet.LinkTypeEthernet}, {}, {Name: "tun0", LinkType: packet.LinkTypeRaw}}},
			Logs: []record.Log{
				{Factor: 1, Segments: sealedPerLog, Packets: sealedPerLog * 20, Newest: time.Second},
				{Class: 1, Factor: 1, Segments: sealedPerLog, Packets: sealedPerLog * 20, Newest: time.Second, Lost: &lost},
			},
		},
		Coverage: []seal.Coverage{{Time: sealedAt.Add(-5 * time.Hour), Kind: "start", Text: "the service started"}},
	}
}

// sealedSegment is the one of a log that is i-th youngest: 20 packets, one every
// second, of two conversations on two interfaces.
func sealedSegment(r *rand.Rand, log, i int) record.Segment {
	s := record.Segment{Log: log, Records: 20, Newest: time.Duration(i)*time.Minute + time.Second}
	from := record.Base{None: true}
	shares := [3]record.Share{{Interface: 0}, {Interface: 1}, {Interface: 2}}
	first := sealedAt.Add(-time.Duration(i)*time.Minute - 21*time.Second - time.Duration(log)*time.Millisecond)
	for n := range s.Records {
		data := udp(r, 1000, 53+uint16(n%2)*390)
		p := packet.Packet{Time: first.Add(time.Duration(n) * time.Second).UnixNano(), OrigLen: uint32(len(data)), Direction: packet.Outbound}
		if p.Data = data; n%2 == 1 {
			p.Interface, p.Data, p.OrigLen = 2, data[14:], p.OrigLen-14
		}
		var header [record.Room]byte
		size := record.Put(header[:], &p, 0, from, false)
		s.Data = append(append(s.Data, header[:size]...), p.Data...)
		from = record.Base{Time: p.Time, Interface: p.Interface}
		s.Captured += uint64(len(p.Data))
		shares[p.Interface].Packets++
		shares[p.Interface].Bytes += uint32(len(p.Data))
		s.MaxTime = p.Time
	}
	s.MinTime, s.Size = first.UnixNano(), len(s.Data)
	s.Shares = []record.Share{shares[0], shares[2]}
	return s
}

// udp is a frame to a port, with a random payload of a length.
func udp(r *rand.Rand, length int, port uint16) []byte {
	total := 20 + 8 + length
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
		0x45, 0, byte(total >> 8), byte(total), 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 7, 192, 0, 2, 1,
		0x30, 0x39, byte(port >> 8), byte(port), byte((8 + length) >> 8), byte(8 + length), 0, 0}
	for range length {
		b = append(b, byte(r.Uint32()))
	}
	return b
}

// The name of a file that a machine elsewhere has chosen is made of what it says.
func TestDecryptedName(t *testing.T) {
	h := sealedHead()
	if got := defaultName(h.Host, h.Saved, "pcapng"); got != "web02_260301_0900.pcapng" {
		t.Errorf("got %s", got)
	}
	h.Host = "../../etc/x\x00y"
	if got := defaultName(h.Host, h.Saved, "pcapng"); filepath.Base(got) != got {
		t.Errorf("got %s", got)
	}
}

// The service may put a newer file in the place of the one that is being read, on
// any system, and who reads the old one hears of it.
func TestReplacedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	if err := writeSealed(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, sealedName)
	f, err := openShared(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file := &sealedFile{File: f, path: path}
	if err := file.look(); err != nil {
		t.Fatal(err)
	}
	if err := file.explain(seal.ErrWrongKey); !strings.Contains(err.Error(), "none of the keys") {
		t.Errorf("got %v", err)
	}
	other := filepath.Join(dir, "new")
	if err := os.WriteFile(other, []byte("a newer one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := guard.Replace(other, path); err != nil {
		if runtime.GOOS == "windows" {
			t.Skipf("this system cannot put a file in the place of one that is open, as Wine: %v", err)
		}
		t.Fatal(err)
	}
	if err := file.explain(seal.ErrWrongKey); !strings.Contains(err.Error(), "was replaced while it was being read") {
		t.Errorf("got %v", err)
	}
}

// Options may stand behind the file.
func TestOptionsFirst(t *testing.T) {
	app := newApp(thisMachine(), io.Discard, io.Discard)
	for _, test := range []struct{ args, want string }{
		{"pcctl", "pcctl"},
		{"pcctl status --json", "pcctl status --json"},
		{"pcctl config set retain x", "pcctl config set retain x"},
		{"pcctl decrypt", "pcctl decrypt"},
		{"pcctl decrypt F", "pcctl decrypt -- F"},
		{"pcctl decrypt F -i K -w -", "pcctl decrypt -i K -w - -- F"},
		{"pcctl decrypt -i K F --since=3 -w O G", "pcctl decrypt -i K --since=3 -w O -- F G"},
		{"pcctl --endpoint-dir D verify F --json -i K", "pcctl --endpoint-dir D verify --json -i K -- F"},
		{"pcctl --endpoint-dir=D verify F --json", "pcctl --endpoint-dir=D verify --json -- F"},
		{"pcctl verify F -i", "pcctl verify -i"},
		{"pcctl verify F -- -i", "pcctl verify -- F -i"},
		{"pcctl decrypt - -h", "pcctl decrypt -h -- -"},
	} {
		if got := strings.Join(optionsFirst(app, strings.Fields(test.args)), " "); got != test.want {
			t.Errorf("%s becomes %s, want %s", test.args, got, test.want)
		}
	}
}
