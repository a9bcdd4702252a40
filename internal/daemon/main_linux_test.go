package daemon

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

func TestMain(m *testing.M) { os.Exit(capturetest.MainInNetNS(m)) }

// endpointDir is a directory for sockets.
func endpointDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pcd") //nolint:usetesting // t.TempDir is longer than an address may be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Live packets can be read while they come.
func TestLiveWhileRead(t *testing.T) {
	capturetest.Veth(t, "pcda", "pcdb")
	settings := config.Defaults()
	settings.Interfaces = []string{"pcda", "pcdnone"}
	settings.CaptureFilter = "ether proto 0x88b5"
	s := runDaemon(t, options(settings))
	s.await("pcda", func(st control.Status) bool { return st.State == control.StateCapturing })
	const packets = 2000
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 5 {
				if _, err := s.client.Dump(t.Context(), control.DumpRequest{Format: control.PCAPNG}, io.Discard, nil); err != nil {
					t.Error(err)
				}
				if _, err := s.client.Status(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	frame := append([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5"), make([]byte, 200)...)
	frames := slices.Repeat([][]byte{frame}, packets)
	other := bytes.Clone(frame)
	other[13] = 0xb6 // which the filter keeps out
	capturetest.Send(t, "pcdb", append(frames, other)...)
	readers.Wait()
	st := s.await("all packets", func(st control.Status) bool { return st.Totals.Seen.Packets+st.Totals.Dropped >= packets })
	if st.Totals.Seen.Packets+st.Totals.Dropped != packets {
		t.Errorf("%d packets seen and %d dropped of %d", st.Totals.Seen.Packets, st.Totals.Dropped, packets)
	}
	for _, words := range []string{"pcdnone is asked for and not there"} {
		if !strings.Contains(strings.Join(st.Warnings, "\n"), words) {
			t.Errorf("the warnings are %q, want %q", st.Warnings, words)
		}
	}
	for _, i := range st.Interfaces {
		if i.Name == "pcda" && (i.Filter != settings.CaptureFilter || i.Backend != "afpacket" || i.State != control.InterfaceCapturing) {
			t.Errorf("%+v", i)
		}
		if i.State == control.InterfaceExcluded && i.Filter != "" {
			t.Errorf("%s is not recorded, by the filter %q", i.Name, i.Filter)
		}
	}
	result, err := s.client.Dump(t.Context(), control.DumpRequest{Last: time.Hour}, io.Discard, nil)
	if err != nil || result.Packets != st.Totals.Stored.Packets {
		t.Errorf("%d packets dumped, %d stored, %v", result.Packets, st.Totals.Stored.Packets, err)
	}
}
