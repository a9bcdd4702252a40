package daemon

import (
	"io"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/packet"
)

// The service starts when a program has taken the place of its endpoint, says
// so, and takes the place when it is free.
func TestPlaceIsTaken(t *testing.T) {
	dir := endpointDir(t)
	squatter, err := ipc.Listen(ipc.Dump, ipc.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close()
	s := &subject{t: t, dir: dir, client: control.NewClient(dir)}
	s.run(options(config.Defaults(), writeCapture(t, "a.pcap", packet.LinkTypeEthernet, 3)))
	s.await("a warning", func(st control.Status) bool {
		said := strings.Join(st.Warnings, "\n")
		return strings.Contains(said, "The dump endpoint cannot be opened: listen on ") && strings.Contains(said, "already in use by pid ")
	})
	if err := squatter.Close(); err != nil {
		t.Fatal(err)
	}
	s.await("the end of the warning", func(st control.Status) bool {
		return !strings.Contains(strings.Join(st.Warnings, "\n"), "cannot be opened") && st.State == control.StateIdle
	})
	conn, err := ipc.Dial(t.Context(), ipc.Dump, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if file, err := io.ReadAll(conn); err != nil || len(file) != 24+3*16+60+61+62 {
		t.Errorf("%d bytes came, %v", len(file), err)
	}
	s.stop()
	for _, words := range []string{"It is tried again every second", "The dump endpoint has been opened"} {
		if !strings.Contains(s.log.String(), words) {
			t.Errorf("the log lacks %q:\n%s", words, s.log.String())
		}
	}
}

// A service that never got its place stops all the same.
func TestStopWithoutPlace(t *testing.T) {
	dir := endpointDir(t)
	for _, e := range []ipc.Endpoint{ipc.Dump, ipc.Control} {
		squatter, err := ipc.Listen(e, ipc.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer squatter.Close()
	}
	s := &subject{t: t, dir: dir, client: control.NewClient(dir)}
	s.run(options(config.Defaults(), writeCapture(t, "a.pcap", packet.LinkTypeEthernet, 3)))
	s.stop()
}
