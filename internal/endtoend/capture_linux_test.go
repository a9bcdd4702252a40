package endtoend

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/packetcache/packetcache/internal/packet"
)

// A record is a packet in a capture file.
type record struct {
	time    int64 // ns since 1970
	data    string
	origLen int
	iface   string // its name, in pcapng
	link    layers.LinkType
}

func (r record) String() string {
	return fmt.Sprintf("%s %s, %d of %d bytes, %v, %x", time.Unix(0, r.time).UTC().Format(time.RFC3339Nano),
		r.iface, len(r.data), r.origLen, r.link, r.data[:min(len(r.data), 64)])
}

// readFile reads a capture file to its end with gopacket.
func readFile(t testing.TB, path string) []record {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := read(file)
	if err != nil {
		t.Fatalf("%s: gopacket reads %d packets and then %v", path, len(all), err)
	}
	return all
}

func read(file []byte) ([]record, error) {
	const section = 0x0a0d0d0a
	var source gopacket.PacketDataSource
	var describe func(*record, gopacket.CaptureInfo)
	if len(file) >= 4 && binary.LittleEndian.Uint32(file) == section {
		r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			return nil, err
		}
		source, describe = r, func(rec *record, ci gopacket.CaptureInfo) {
			if i, err := r.Interface(ci.InterfaceIndex); err == nil {
				rec.iface, rec.link = i.Name, i.LinkType
			}
		}
	} else {
		r, err := pcapgo.NewReader(bytes.NewReader(file))
		if err != nil {
			return nil, err
		}
		r.SetSnaplen(packet.MaxLen)
		source, describe = r, func(rec *record, _ gopacket.CaptureInfo) { rec.link = r.LinkType() }
	}
	var all []record
	for {
		data, ci, err := source.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		rec := record{time: ci.Timestamp.UnixNano(), data: string(data), origLen: ci.Length}
		describe(&rec, ci)
		all = append(all, rec)
	}
}

// inOrder checks that the packets' times never go back.
func inOrder(t testing.TB, what string, records []record) {
	t.Helper()
	for i := 1; i < len(records); i++ {
		if records[i].time < records[i-1].time {
			t.Errorf("%s: packet %d is from %v before that of packet %d", what, i+1, time.Duration(records[i-1].time-records[i].time), i)
			return
		}
	}
}

// sorted returns the packets by time; those of the same instant stay in order.
func sorted(records []record) []record {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.time, b.time) })
	return records
}

// between returns the packets from the first that holds one text to the last
// that holds the other, both included.
func between(t testing.TB, what string, records []record, from, to string) []record {
	t.Helper()
	first := slices.IndexFunc(records, func(r record) bool { return strings.Contains(r.data, from) })
	last := -1
	for i, r := range records {
		if strings.Contains(r.data, to) {
			last = i
		}
	}
	if first < 0 || last < first {
		t.Fatalf("%s: %q stands at %d and %q at %d of %d packets", what, from, first, to, last, len(records))
	}
	return records[first : last+1]
}

// same checks that two lists hold the same packets in the same order; times
// are rounded down to a unit.
func same(t testing.TB, what string, got, want []record, unit time.Duration) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d packets, want %d", what, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		if g.data != w.data || g.origLen != w.origLen || g.time != w.time-w.time%int64(unit) {
			t.Errorf("%s: packet %d is\n%v, want\n%v", what, i+1, g, w)
			return
		}
	}
}

// likewise checks that two records of the same traffic hold the same packets in
// the same order, with the same times within a millisecond.
//
// Of most packets the kernel takes the time once, for whoever records them. Not
// of TCP that comes from another namespace: there each who records reads the
// clock for itself. So packets that pass on two processors at once can stand
// in either order, and a processor that is taken away between two readings can
// part them by more; one packet in a thousand may be that unlucky.
func likewise(t testing.TB, what string, got, want []record) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d packets, want %d", what, len(got), len(want))
	}
	const near = int64(time.Millisecond)
	type key struct {
		data    string
		origLen int
	}
	places := map[key][]int{}
	for i, w := range want {
		k := key{w.data, w.origLen}
		places[k] = append(places[k], i)
	}
	var displaced, late int
	var farthest, newest int64
	for i, g := range got {
		k := key{g.data, g.origLen}
		if len(places[k]) == 0 {
			t.Errorf("%s: packet %d is not in the other record: %v", what, i+1, g)
			return
		}
		place := places[k][0]
		places[k] = places[k][1:]
		w := want[place]
		apart := max(g.time-w.time, w.time-g.time, newest-w.time)
		newest = max(newest, w.time)
		farthest = max(farthest, apart)
		if apart > near {
			late++
		}
		if place != i {
			displaced++
		}
	}
	t.Logf("%s: of %d packets %d stand elsewhere by their own clock, %d are more than 1 ms apart, the farthest %v",
		what, len(got), displaced, late, time.Duration(farthest))
	if late > len(want)/1000 || farthest > 100*near {
		t.Errorf("%s: %d packets are more than 1 ms apart or out of order, the farthest %v", what, late, time.Duration(farthest))
	}
}

// sound has every reader at hand read a capture file that we wrote to its end
// and agree on the number of packets.
func sound(t testing.TB, path string) []record {
	t.Helper()
	records := readFile(t, path)
	inOrder(t, path, records)

	stdout, stderr, code := run(t, need(t, "capinfos"), "-M", "-c", path)
	if code != 0 || stderr != "" {
		t.Errorf("capinfos %s: exit code %d, %s", path, code, stderr)
	}
	if want := fmt.Sprintf("Number of packets:   %d\n", len(records)); !strings.Contains(stdout, want) {
		t.Errorf("capinfos %s says\n%s, want %s", path, stdout, want)
	}

	if len(records) < 10_000 { // or it takes long
		stdout, stderr, code = run(t, need(t, "tshark"), "-n", "-r", path, "-T", "fields", "-e", "frame.number")
		if code != 0 || complaint(stderr) != "" {
			t.Errorf("tshark -r %s: exit code %d, %s", path, code, stderr)
		}
		if n := strings.Count(stdout, "\n"); n != len(records) {
			t.Errorf("tshark -r %s reads %d packets, gopacket %d", path, n, len(records))
		}
	}

	out := filepath.Join(t.TempDir(), "edited")
	if _, stderr, code = run(t, need(t, "editcap"), "-F", "pcapng", path, out); code != 0 || stderr != "" {
		t.Errorf("editcap %s: exit code %d, %s", path, code, stderr)
	} else if n := len(readFile(t, out)); n != len(records) {
		t.Errorf("editcap %s passes on %d packets of %d", path, n, len(records))
	}

	if oneLink(records) { // with more of them libpcap refuses a pcapng
		tcpdumpReads(t, path, len(records))
	}
	return records
}

func oneLink(records []record) bool {
	return !slices.ContainsFunc(records, func(r record) bool { return r.link != records[0].link })
}

// tcpdumpReads checks how many packets tcpdump finds in a file.
func tcpdumpReads(t testing.TB, path string, packets int) {
	t.Helper()
	cmd := exec.Command(need(t, "tcpdump"), "-n", "-r", path, "-w", "-")
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &msg
	if err := cmd.Run(); err != nil || strings.Contains(msg.String(), "pcap_loop") {
		t.Errorf("tcpdump -r %s: %v, %s", path, err, &msg)
		return
	}
	got, err := read(out.Bytes())
	if err != nil || len(got) != packets {
		t.Errorf("tcpdump -r %s reads %d packets of %d, %v", path, len(got), packets, err)
	}
}

// complaint is what a tool of Wireshark's says, without what it always says.
func complaint(stderr string) string {
	var lines []string
	for line := range strings.Lines(stderr) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "Running as user") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
