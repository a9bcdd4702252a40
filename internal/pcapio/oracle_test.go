package pcapio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/packetcache/packetcache/internal/packet"
)

// A record is a packet as any reader sees it.
type record struct {
	time    int64
	data    string
	origLen uint32
	link    packet.LinkType // 0xffff where the reader does not say
}

const anyLink packet.LinkType = 0xffff

// readOurs reads file with the package under test, in batches and one by one,
// which must agree.
func readOurs(t testing.TB, file []byte) ([]record, error) {
	t.Helper()
	single, err := collect(file, 1)
	batched, batchErr := collect(file, 64)
	if d := differ(single, batched); d != "" || fmt.Sprint(err) != fmt.Sprint(batchErr) {
		t.Fatalf("Next and Batch differ: %s; errors %v and %v", d, err, batchErr)
	}
	return single, err
}

// collect returns the packets of file and nil at a clean end.
func collect(file []byte, batchLen int) ([]record, error) {
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	var all []record
	batch := make([]packet.Packet, batchLen)
	for {
		n, err := r.Batch(batch)
		for _, p := range batch[:n] {
			all = append(all, record{p.Time, string(p.Data), p.OrigLen, r.Interfaces()[p.Interface].LinkType})
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// readPcapgo reads file with gopacket.
func readPcapgo(file []byte) ([]record, error) {
	var source gopacket.PacketDataSource
	link := func(gopacket.CaptureInfo) packet.LinkType { return anyLink }
	if len(file) > 4 && binary.LittleEndian.Uint32(file) == magicSection {
		r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			return nil, err
		}
		source = r
		link = func(ci gopacket.CaptureInfo) packet.LinkType {
			return packet.LinkType(ci.AncillaryData[0].(layers.LinkType))
		}
	} else {
		r, err := pcapgo.NewReader(bytes.NewReader(file))
		if err != nil {
			return nil, err
		}
		r.SetSnaplen(packet.MaxLen)
		source = r
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
		var ns int64
		if !ci.Timestamp.IsZero() { // as it is for a Simple Packet Block
			ns = ci.Timestamp.UnixNano()
		}
		all = append(all, record{ns, string(data), uint32(max(ci.Length, len(data))), link(ci)})
	}
}

// readTcpdump reads the file at path with libpcap.
func readTcpdump(path string) ([]record, error) {
	cmd := exec.Command("tcpdump", "--time-stamp-precision=nano", "-nr", path, "-w", "-")
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &msg
	err := cmd.Run()
	all := parseNano(out.Bytes())
	if err != nil {
		return all, errors.New(strings.TrimSpace(msg.String()))
	}
	if strings.Contains(msg.String(), "pcap_loop") { // which leaves the exit code 0
		return all, errors.New(strings.TrimSpace(msg.String()))
	}
	return all, nil
}

// readWiretap reads the file at path with Wireshark's library. The link types
// are lost, because its output must have one.
func readWiretap(t testing.TB, path string) ([]record, error) {
	out := filepath.Join(t.TempDir(), "out.pcap")
	msg, err := exec.Command("editcap", "-F", "nsecpcap", "-T", "ether", path, out).CombinedOutput()
	file, readErr := os.ReadFile(out)
	if readErr != nil {
		return nil, fmt.Errorf("%w: %s", err, msg)
	}
	all := parseNano(file)
	if err != nil {
		return all, fmt.Errorf("%w: %s", err, msg)
	}
	return all, nil
}

// parseNano reads pcap with times in ns in this machine's byte order, which is
// all that the tools above write.
func parseNano(file []byte) []record {
	if len(file) < 24 {
		return nil
	}
	if binary.LittleEndian.Uint32(file) != magicNano {
		panic(fmt.Sprintf("unexpected magic % x", file[:4]))
	}
	var all []record
	for b := file[24:]; len(b) >= 16; {
		u := func(i int) uint32 { return binary.LittleEndian.Uint32(b[i:]) }
		n := int(u(8))
		all = append(all, record{int64(u(0))*1e9 + int64(u(4)), string(b[16 : 16+n]), max(u(12), u(8)), anyLink})
		b = b[16+n:]
	}
	return all
}

// differ says where two readings part, or "".
func differ(got, want []record) string {
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		if w.link == anyLink || g.link == anyLink {
			g.link, w.link = 0, 0
		}
		if g == w {
			continue
		}
		return fmt.Sprintf("packet %d: time %d, %d of %d bytes, %v; want time %d, %d of %d bytes, %v; same data: %v",
			i+1, g.time, len(g.data), g.origLen, g.link, w.time, len(w.data), w.origLen, w.link, g.data == w.data)
	}
	if len(got) != len(want) {
		return fmt.Sprintf("%d packets, want %d", len(got), len(want))
	}
	return ""
}

// needTools skips a test where a program is not installed; CI has them all, but
// not in Windows.
func needTools(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" && runtime.GOOS != "windows" {
				t.Fatalf("%s is needed in CI", name)
			}
			t.Skipf("%s is not installed", name)
		}
	}
}

// corpusDir returns the folder of captures called name.
func corpusDir(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("PACKETCACHE_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the corpus is needed in CI: %v", err)
		}
		t.Skipf("no corpus (set PACKETCACHE_CORPUS): %v", err)
	}
	return dir
}

// manifest returns the lines of a corpus folder's MANIFEST.tsv by column name.
func manifest(t testing.TB, dir string) []map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	columns := strings.Split(lines[0], "\t")
	var files []map[string]string
	for _, line := range lines[1:] {
		file := make(map[string]string)
		for i, cell := range strings.Split(line, "\t") {
			file[columns[i]] = cell
		}
		files = append(files, file)
	}
	return files
}
