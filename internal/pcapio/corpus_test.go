package pcapio

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

func TestCorpus(t *testing.T) {
	dir := corpusDir(t, "dev")
	needTools(t, "tcpdump", "editcap")
	files := manifest(t, dir)
	if len(files) != 320 {
		t.Errorf("the manifest lists %d files, want 320", len(files))
	}
	for _, f := range files {
		t.Run(f["file"], func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, f["file"])
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readOurs(t, file)
			if err != nil {
				t.Fatalf("after %d packets: %v", len(got), err)
			}
			if n, _ := strconv.Atoi(f["packets"]); n != len(got) {
				t.Errorf("%d packets, the manifest says %d", len(got), n)
			}
			if compareWithOthers(t, path, file, got) == 0 {
				t.Error("no other reader read the whole file")
			}
		})
	}
}

func TestMalformedCorpus(t *testing.T) {
	dir := corpusDir(t, "malformed-dev")
	needTools(t, "tcpdump", "editcap")
	files := manifest(t, dir)
	if len(files) != 291 {
		t.Errorf("the manifest lists %d files, want 291", len(files))
	}
	for _, f := range files {
		t.Run(f["file"], func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, f["file"])
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readOurs(t, file)
			if n, _ := strconv.Atoi(f["packets"]); n != len(got) {
				t.Errorf("%d packets, the manifest says %d", len(got), n)
			}
			checkDamage(t, file, damaged[f["file"]], got, err)
			compareWithOthers(t, path, file, got)
		})
	}
}

// A damage is where and how a file of malformed-dev is broken as a file. In
// most of them only the packets are.
type damage struct {
	offset int64
	cut    bool // the end is missing
}

var damaged = map[string]*damage{
	"dpkt__examples_data_truncated_dns_2.pcap":                     {240, true},
	"fpcap__tracefiles_RICS2021_787__fwscada_20200625_160926.pcap": {536552, true},
	"ics__MELSEC_melsoft_129_clean.pcap":                           {331665, true},
	"nfstream__results_encrypted_sni.pcap":                         {},
	"nfstream__results_ethereum.pcap":                              {},
	"nfstream__results_gtp-u.pcap":                                 {},
	"nfstream__results_long_tls_certificate.pcap":                  {},
	"nfstream__results_one_flow_1_5.pcap":                          {},
	"nfstream__results_webex.pcap":                                 {},
	"pcpp__Fuzzers_RegressionTests_regression_samples_radiuslayer": {440, false},
	"pkts__pkts-core_src_test_resources_io_pkts_cool.pcap":         {24, false},
	"suricata__bug-6875-01_fuzz.pcap":                              {228, false},
}

func checkDamage(t *testing.T, file []byte, want *damage, got []record, err error) {
	t.Helper()
	if want == nil {
		if err != nil {
			t.Errorf("unexpected error: %v", err)
		}
		return
	}
	var format *FormatError
	if !errors.As(err, &format) {
		t.Fatalf("error %v is a %T, want a *FormatError", err, err)
	}
	if format.Offset != want.offset || errors.Is(err, io.ErrUnexpectedEOF) != want.cut {
		t.Errorf("%v (cut short: %v), want byte %d (%v)", err, errors.Is(err, io.ErrUnexpectedEOF), want.offset, want.cut)
	}
	checkFormatError(t, file, got, err)
}

// checkFormatError checks what a FormatError promises: cut where it says, the
// file reads to a clean end with the same packets.
func checkFormatError(t testing.TB, file []byte, got []record, err error) {
	t.Helper()
	var format *FormatError
	if !errors.As(err, &format) {
		t.Fatalf("error %v is a %T", err, err)
	}
	if format.Offset == 0 {
		if len(got) != 0 {
			t.Errorf("%d packets came before byte 0", len(got))
		}
		return
	}
	head, err := readOurs(t, file[:format.Offset])
	if err != nil {
		t.Errorf("cut at byte %d it still fails: %v", format.Offset, err)
	}
	if d := differ(got, head); d != "" {
		t.Errorf("cut at byte %d: %s", format.Offset, d)
	}
}

// TestMalformedMemory holds the Reader to its promise of what it allocates.
func TestMalformedMemory(t *testing.T) {
	dir := corpusDir(t, "malformed-dev")
	for _, f := range manifest(t, dir) {
		file, err := os.ReadFile(filepath.Join(dir, f["file"]))
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if r, err := NewReader(bytes.NewReader(file)); err == nil {
			var p packet.Packet
			for r.Next(&p) == nil {
			}
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > windowSize+128<<10 {
			t.Errorf("%s: reading allocated %d bytes", f["file"], n)
		}
	}
}

// disagreements are the files whose packets another reader sees otherwise,
// with the reason, by reader and file.
var disagreements = map[[2]string]string{
	{"wiretap", "suricata__bug-6875-01_fuzz.pcap"}: "it guesses from the damaged lengths that this is a variant with longer record headers",
}

// compareWithOthers holds got, our packets of the file at path, against those
// of other readers, up to where a reader gives up, and returns how many of
// them read the whole file.
func compareWithOthers(t *testing.T, path string, file []byte, got []record) (complete int) {
	t.Helper()
	for _, other := range []struct {
		name string
		read func() ([]record, error)
	}{
		{"gopacket", func() ([]record, error) { return readPcapgo(file) }},
		{"libpcap", func() ([]record, error) { return readTcpdump(path) }},
		{"wiretap", func() ([]record, error) { return readWiretap(t, path) }},
	} {
		want, err := other.read()
		if err == nil {
			complete++
		} else {
			t.Logf("%s stops after %d packets: %v", other.name, len(want), err)
		}
		ours := asOthersDo(other.name, file, got, want)
		if err != nil {
			ours = ours[:min(len(ours), len(want))]
		}
		d := differ(ours, want)
		reason, known := disagreements[[2]string{other.name, filepath.Base(path)}]
		switch {
		case known && d == "":
			t.Errorf("%s agrees now, though %s", other.name, reason)
		case !known && d != "":
			t.Errorf("%s: %s", other.name, d)
		}
	}
	return complete
}

// asOthersDo returns our packets as the other reader shows them where damaged
// files make it differ by design:
//
//   - libpcap cuts packets at the snapshot length of a classic pcap's header
//     even if there are more bytes; we keep what is there, and an original
//     length below it is raised.
//   - Absurd fractions of a second, of more than 4 s, wrap around in the 32
//     bits of nanoseconds that the tools write and gopacket computes with.
//   - Times that int64 nanoseconds cannot hold wrap around too; ours stop there.
func asOthersDo(reader string, file []byte, ours, want []record) []record {
	snapLen := packet.MaxLen
	if r, err := NewReader(bytes.NewReader(file)); reader == "libpcap" && err == nil && r.ng == nil {
		snapLen = cmp.Or(int(r.Interfaces()[0].SnapLen), snapLen)
	}
	changed := slices.Clone(ours)
	for i := range min(len(ours), len(want)) {
		o, w := &changed[i], want[i]
		if len(o.data) > snapLen {
			if int(o.origLen) == len(o.data) {
				o.origLen = w.origLen
			}
			o.data = o.data[:snapLen]
		}
		if d := o.time - w.time; o.time == math.MaxInt64 || d > 0 && d%(1<<32) == 0 {
			o.time = w.time
		}
	}
	return changed
}
