package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// write puts file into a folder of the test's own and returns its path.
func write(t *testing.T, name string, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// numbered returns a classic pcap of n packets that hold their numbers.
func numbered(n int) (file []byte, contents [][]byte) {
	file = pcapio.AppendHeader(nil, packet.LinkTypeEthernet)
	for i := range n {
		data := fmt.Appendf(nil, "packet %d%s", i, strings.Repeat(".", i%1500))
		contents = append(contents, data)
		file = pcapio.AppendRecord(file, &packet.Packet{Time: int64(i) * 1000, Data: data})
	}
	return file, contents
}

func TestContract(t *testing.T) {
	file, contents := numbered(5000)
	capturetest.TestSource(t, func(t *testing.T) capturetest.Subject {
		s, err := Open(write(t, "numbered.pcap", file))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return capturetest.Subject{Source: s, Packets: len(contents), Contents: contents}
	})
}

// replay runs the file at path into a sink that the contract suite watches.
func replay(t *testing.T, path string) (*capturetest.Sink, *Source, error) {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	sink := capturetest.NewSink()
	err = s.Run(t.Context(), sink)
	for _, complaint := range sink.Complaints() {
		t.Error(complaint)
	}
	return sink, s, err
}

func TestInterfaceNames(t *testing.T) {
	file := pcapio.AppendSection(nil, &pcapio.Section{})
	interfaces := []packet.Interface{
		{Name: "eth0", LinkType: packet.LinkTypeEthernet, OS: "Linux"},
		{LinkType: packet.LinkTypeEthernet},
		{Name: "eth0", LinkType: packet.LinkTypeEthernet},
		{Name: "silent", LinkType: packet.LinkTypeEthernet},
		{LinkType: packet.LinkTypeRaw},
		{Name: "odd.pcapng#5", LinkType: packet.LinkTypeRaw},
		{Name: "odd.pcapng#5", LinkType: packet.LinkTypeRaw},
	}
	for i := range interfaces {
		file = pcapio.AppendInterface(file, &interfaces[i])
	}
	for _, i := range []packet.InterfaceID{2, 0, 1, 4, 5, 6, 0} {
		file = pcapio.AppendPacket(file, &packet.Packet{Interface: i, Data: []byte{byte(i)}}, 0)
	}
	sink, _, err := replay(t, write(t, "odd.pcapng", file))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range sink.Interfaces() {
		names = append(names, i.Name)
	}
	want := "eth0, eth0#1, odd.pcapng, odd.pcapng#5, odd.pcapng#5#6, odd.pcapng#5#7"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("announced %s\nwant      %s", got, want)
	}
	if got := sink.Interfaces()[1]; got.OS != "Linux" {
		t.Errorf("the description is lost: %+v", got)
	}
	// Every packet still belongs to the interface that it came from.
	for _, p := range sink.Got() {
		announced := sink.Interfaces()[p.Interface-sink.Got()[0].Interface]
		if original := interfaces[p.Data[0]]; announced.LinkType != original.LinkType || !strings.HasPrefix(announced.Name, original.Name) {
			t.Errorf("a packet of %+v came from %+v", original, announced)
		}
	}
}

func TestClassicName(t *testing.T) {
	sink, _, err := replay(t, write(t, "empty.pcap", pcapio.AppendHeader(nil, packet.LinkTypeLinuxSLL)))
	if err != nil {
		t.Fatal(err)
	}
	if got := sink.Interfaces(); len(got) != 1 || got[0].Name != "empty.pcap" || got[0].LinkType != packet.LinkTypeLinuxSLL {
		t.Errorf("announced %+v", got)
	}
}

func TestBadFile(t *testing.T) {
	file, _ := numbered(700)
	good := len(file)
	for name, c := range map[string]struct {
		tail string
		want string
		is   error
	}{
		"cut":     {"\x01\x02\x03", fmt.Sprintf("byte %d: the record header is cut short: the file ends after 3 of its 16 bytes", good), io.ErrUnexpectedEOF},
		"damaged": {strings.Repeat("\xff", 100), fmt.Sprintf("byte %d: the packet's captured length of 4294967295 is more than 262144", good), nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, name+".pcap", append(file[:good:good], c.tail...))
			sink, s, err := replay(t, path)
			var format *pcapio.FormatError
			if !errors.As(err, &format) || format.Offset != int64(good) || errors.Is(err, io.ErrUnexpectedEOF) != (c.is != nil) {
				t.Errorf("Run returned %v", err)
			}
			want := "replay " + path + ": " + c.want + "; packets replayed before that: 700"
			if err == nil || err.Error() != want {
				t.Errorf("Run returned %v, want %s", err, want)
			}
			if n := len(sink.Got()); n != 700 || s.Counters().Received != 700 {
				t.Errorf("%d packets came, %d counted", n, s.Counters().Received)
			}
			if read, size := s.Progress(); read != int64(good) || size != int64(good+len(c.tail)) {
				t.Errorf("progress is %d of %d", read, size)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	text := write(t, "notes.txt", []byte("not a capture"))
	for name, c := range map[string]struct {
		path, want string
		is         error
	}{
		"missing":   {filepath.Join(t.TempDir(), "missing.pcap"), "missing.pcap", fs.ErrNotExist},
		"directory": {t.TempDir(), "it is a directory", nil},
		"text":      {text, text + ": byte 0: neither pcap nor pcapng: it begins with 6e 6f 74 20", nil},
		"empty":     {write(t, "empty", nil), "the file is empty", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(c.path)
			if s != nil || err == nil || !strings.HasPrefix(err.Error(), "replay") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ...%s", err, c.want)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
		})
	}
}

// refusal takes so many interfaces and no more.
type refusal struct {
	*capturetest.Sink
	left int
}

var errFull = errors.New("full")

func (r *refusal) Interface(i packet.Interface) (packet.InterfaceID, error) {
	if r.left--; r.left < 0 {
		return 0, errFull
	}
	return r.Sink.Interface(i)
}

// An interface too many ends the replay; what came before it is kept.
func TestRefusedInterface(t *testing.T) {
	file := pcapio.AppendSection(nil, &pcapio.Section{})
	file = pcapio.AppendInterface(file, &packet.Interface{Name: "eth0"})
	file = pcapio.AppendInterface(file, &packet.Interface{Name: "eth1"})
	for _, i := range []packet.InterfaceID{0, 0, 0, 1, 0} {
		file = pcapio.AppendPacket(file, &packet.Packet{Interface: i}, 0)
	}
	s, err := Open(write(t, "two.pcapng", file))
	if err != nil {
		t.Fatal(err)
	}
	sink := &refusal{capturetest.NewSink(), 1}
	err = s.Run(t.Context(), sink)
	if !errors.Is(err, errFull) || !strings.Contains(err.Error(), `interface "eth1": full; packets replayed before that: 3`) {
		t.Errorf("Run returned %v", err)
	}
	if n := len(sink.Got()); n != 3 {
		t.Errorf("%d packets came, want 3", n)
	}
}

// stopper ends the replay from within it.
type stopper struct {
	*capturetest.Sink
	stop context.CancelFunc
}

func (s stopper) Packets(batch []packet.Packet) {
	s.Sink.Packets(batch)
	s.stop()
}

func TestStopsBetweenBatches(t *testing.T) {
	file, _ := numbered(5000)
	s, err := Open(write(t, "long.pcap", file))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	sink := stopper{capturetest.NewSink(), stop}
	if err := s.Run(ctx, sink); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if n := len(sink.Got()); n == 0 || n > batchLen {
		t.Errorf("%d packets came, want one batch", n)
	}
}
