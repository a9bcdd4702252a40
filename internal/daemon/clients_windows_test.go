package daemon

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
)

const (
	readOnly = windows.GENERIC_READ
	duplex   = windows.GENERIC_READ | windows.GENERIC_WRITE
)

// The script that users have: NamedPipeClientStream '.','PacketCache','In',
// Connect(1000), reads of 4096 bytes until one returns nothing. So do dumpcap
// and Wireshark open it, which wait longer.
func TestReadLoop(t *testing.T) {
	s, want := servedDump(t)
	for range 3 {
		c, err := openPipe(s.dir, readOnly, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		file, err := c.readAll()
		wants(t, want, file, err)
		if more, err := c.read(); err != nil || len(more) > 0 {
			t.Errorf("after the end came %q, %v", more, err)
		}
		c.close()
	}
}

// NetworkMiner looks for the name among all pipes, opens it for both
// directions, and writes its filter as it is before it reads.
func TestFilterWithoutEnd(t *testing.T) {
	s, whole := servedDump(t)
	pipes, err := listPipes()
	switch {
	case err != nil:
		t.Logf("the pipes cannot be listed here, as under Wine: %v", err)
	case !slices.Contains(pipes, "PacketCache"+s.dir):
		t.Errorf("among %d pipes is none named PacketCache%s", len(pipes), s.dir)
	}
	var want bytes.Buffer
	req := control.DumpRequest{Filter: "udp port 1007"}
	if _, err := s.client.Dump(t.Context(), req, &want, nil); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, filter string
		want         []byte
	}{
		{"a filter", req.Filter, want.Bytes()},
		{"none", "", whole},
		{"one that cannot be used", "tcp and", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := openPipe(s.dir, duplex, 3*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			if test.filter != "" {
				var n uint32
				if err := windows.WriteFile(c.h, []byte(test.filter), &n, nil); err != nil {
					t.Fatal(err)
				}
			}
			file, err := c.readAll()
			wants(t, test.want, file, err)
		})
	}
}

// A filter that comes too late is not applied, and one who waits until it was
// read does not wait for ever.
func TestLateFilter(t *testing.T) {
	s, want := servedDump(t)
	c, err := openPipe(s.dir, duplex, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	file, err := c.read() // the header, which comes when no filter is waited for any more
	if err != nil {
		t.Fatal(err)
	}
	var n uint32
	if err := windows.WriteFile(c.h, []byte("arp"), &n, nil); err != nil {
		t.Fatal(err)
	}
	if err := windows.FlushFileBuffers(c.h); err != nil {
		t.Fatal(err)
	}
	rest, err := c.readAll()
	wants(t, want, append(file, rest...), err)
}

// Fifty at once get the whole dump each, while another one never reads, and
// others leave in the middle.
func TestManyClients(t *testing.T) {
	s, want := servedDump(t)
	stuck, err := openPipe(s.dir, readOnly, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	s.await("a dump that is stuck", func(st control.Status) bool { return st.Dumps.Active == 1 })
	served := s.await("the count", func(control.Status) bool { return true }).Dumps.Served
	var clients sync.WaitGroup
	for n := range 60 {
		clients.Go(func() {
			c, err := openPipe(s.dir, readOnly, 30*time.Second)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.close()
			if n%6 == 5 { // ten of them leave
				if _, err := c.read(); err != nil {
					t.Error(err)
				}
				return
			}
			file, err := c.readAll()
			wants(t, want, file, err)
		})
	}
	clients.Wait()
	s.await("all but one served", func(st control.Status) bool {
		return st.Dumps.Active == 1 && st.Dumps.Waiting == 0 && st.Dumps.Served >= served+50
	})
	file, err := stuck.readAll()
	wants(t, want, file, err) // it was not forgotten
	stuck.close()
	s.await("nobody left", func(st control.Status) bool { return st.Dumps.Active == 0 })
	s.stop()
	if !strings.Contains(s.log.String(), "Dump broken off") {
		t.Error("the log says nothing of those who left in the middle")
	}
}

// A client that never reads does not hold up a stop.
func TestStopWithStuckClient(t *testing.T) {
	s, _ := servedDump(t)
	stuck, err := openPipe(s.dir, readOnly, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.close()
	s.await("a dump that is stuck", func(st control.Status) bool { return st.Dumps.Active == 1 })
	begun := time.Now()
	s.stop()
	if took := time.Since(begun); took > 2*stopPatience {
		t.Errorf("the stop took %v", took)
	}
}

// Both pipes carry the descriptor that is documented, as read back from the
// live pipe, and belong to Administrators.
func TestDescriptors(t *testing.T) {
	s, _ := servedDump(t)
	for _, e := range []ipc.Endpoint{ipc.Dump, ipc.Control} {
		path, err := ipc.Address(e, s.dir)
		if err != nil {
			t.Fatal(err)
		}
		sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
			windows.OWNER_SECURITY_INFORMATION|windows.GROUP_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		// Windows turns generic rights into all of those of a pipe; Wine
		// keeps them.
		const mapped = "O:BAG:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)"
		if got := sd.String(); got != mapped && got != ipc.Descriptor {
			t.Errorf("%s: %s, want %s", e, got, mapped)
		}
	}
}
