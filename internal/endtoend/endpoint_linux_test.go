package endtoend

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// dialControl connects to the control endpoint.
func dialControl(t testing.TB, s *service) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", filepath.Join(s.dir, "control"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// slurp reads a connection to its end.
func slurp(t testing.TB, conn net.Conn) []byte {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("after %d bytes: %v", len(b), err)
	}
	return b
}

// mixture makes a file in which every third packet goes to port 53.
func mixture(t testing.TB, packets int) *maker {
	t.Helper()
	m := newMaker(t, "mixture.pcap")
	for i := range packets {
		port := 443
		if i%3 == 0 {
			port = 53
		}
		m.add(base.Add(time.Duration(i)*time.Millisecond), datagram(i%50, port, 100+i%900))
	}
	m.done()
	return m
}

// A filter text that comes soon after the connection chooses packets.
func TestDumpEndpointFilters(t *testing.T) {
	m := mixture(t, 3000)
	s := start(t, "", "--ram-size", "40MiB", "--replay", m.path)
	s.awaitReplay()
	count := func(t *testing.T, file []byte) int {
		t.Helper()
		records, err := read(file)
		if err != nil {
			t.Error(err)
		}
		return len(records)
	}
	for _, test := range []struct {
		name  string
		parts []string
		want  int
	}{
		{"one that is known", []string{"udp port 53"}, 1000},
		{"with an end of line", []string{"udp port 53\r\n"}, 1000},
		{"with a zero byte", []string{"not port 53\x00"}, 2000},
		{"in two writes", []string{"udp port ", "53"}, 1000},
		{"that nothing matches", []string{"tcp"}, 0},
		{"of blanks", []string{"  "}, 3000},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn := s.connect()
			for _, part := range test.parts {
				if _, err := conn.Write([]byte(part)); err != nil {
					t.Fatal(err)
				}
			}
			if n := count(t, slurp(t, conn)); n != test.want {
				t.Errorf("%d packets, want %d", n, test.want)
			}
		})
	}
	t.Run("and the client stops writing", func(t *testing.T) {
		conn := s.connect()
		_, _ = conn.Write([]byte("udp port 53"))
		_ = conn.CloseWrite()
		if n := count(t, slurp(t, conn)); n != 1000 {
			t.Errorf("%d packets, want 1000", n)
		}
	})
	t.Run("too late", func(t *testing.T) {
		conn := s.connect()
		header := make([]byte, 24)
		begun := time.Now()
		_ = conn.SetReadDeadline(begun.Add(patience))
		if _, err := io.ReadFull(conn, header); err != nil {
			t.Fatal(err)
		}
		// The header shows that the service waits no longer.
		t.Logf("without a filter the header comes after %v", time.Since(begun).Round(time.Millisecond))
		if waited := time.Since(begun); waited < 200*time.Millisecond {
			t.Errorf("the header came after %v: no filter could have come", waited)
		}
		_, _ = conn.Write([]byte("udp port 53"))
		if n := count(t, slices.Concat(header, slurp(t, conn))); n != 3000 {
			t.Errorf("%d packets, want all 3000", n)
		}
	})
	for _, test := range []struct{ name, text, log string }{
		{"bad", "udp prot 53", "Dump refused"},
		{"with bytes that are no text", "\xff\xfe\x00\x01", "Dump refused"},
		{"without an end", strings.Repeat("port 53 or ", 1000), "8 KiB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn := s.connect()
			_, _ = conn.Write([]byte(test.text))
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			b, err := io.ReadAll(conn)
			if len(b) > 0 {
				t.Errorf("%d bytes came, want none: %v", len(b), err)
			}
			s.awaitLog(test.log)
		})
	}
	if n := count(t, slurp(t, s.connect())); n != 3000 {
		t.Errorf("%d packets in the end, want 3000", n)
	}
}

// Clients that do what clients should not harm nobody but themselves.
func TestClientsThatMisbehave(t *testing.T) {
	s := start(t, "", "--ram-size", "40MiB", "--replay", bulk(t, 24<<20, 200))
	s.awaitReplay()
	want := slurp(t, s.connect())
	if len(want) < 20<<20 {
		t.Fatalf("the dump has only %d bytes", len(want))
	}

	t.Run("gone in the middle", func(t *testing.T) {
		conn := s.connect()
		if _, err := io.CopyN(io.Discard, conn, 100_000); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		s.awaitLog("Dump broken off")
	})
	t.Run("gone at once", func(*testing.T) {
		for range 20 {
			_ = s.connect().Close()
		}
	})
	t.Run("writes and never reads", func(t *testing.T) {
		conn := s.connect()
		for _, part := range []string{"udp", " port", " 443"} {
			_, _ = conn.Write([]byte(part))
		}
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := conn.Write(make([]byte, 4<<20))
		t.Logf("it could write another %d bytes (%v)", n, err)
	})
	t.Run("gone on the control endpoint", func(t *testing.T) {
		conn := dialControl(t, s)
		fmt.Fprint(conn, "GET /v1/dump HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := io.CopyN(io.Discard, conn, 100_000); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	})
	t.Run("rubbish on the control endpoint", func(t *testing.T) {
		for _, words := range []string{"\x16\x03\x01\x02\x00\x01\x00", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n", strings.Repeat("A", 100_000)} {
			conn := dialControl(t, s)
			_, _ = io.WriteString(conn, words)
			_ = conn.Close()
		}
	})
	if got := slurp(t, s.connect()); !bytes.Equal(got, want) {
		t.Errorf("a dump after all that has %d bytes, want the same %d as before", len(got), len(want))
	}
	s.await("no dump but the one that is never read", func(st control.Status) bool { return st.Dumps.Active <= 1 })
}

// Of twelve dumps at once one is never read; the others are whole.
func TestTwelveDumpsAndOneStuck(t *testing.T) {
	s := start(t, "", "--ram-size", "40MiB", "--replay", bulk(t, 24<<20, 200))
	s.awaitReplay()
	want := sha256.Sum256(slurp(t, s.connect()))

	stuck := s.connect()
	s.await("a dump that hangs", func(st control.Status) bool { return st.Dumps.Active == 1 })
	var readers sync.WaitGroup
	for n := range 11 {
		conn := s.connect()
		readers.Go(func() {
			if sum := sha256.Sum256(slurp(t, conn)); sum != want {
				t.Errorf("dump %d is not like the others", n)
			}
		})
	}
	readers.Wait()
	st := s.await("11 served", func(st control.Status) bool { return st.Dumps.Served == 12 })
	if st.Dumps.Active != 1 || st.Dumps.Waiting != 0 {
		t.Errorf("%d dumps are active and %d wait, want only the one that is stuck", st.Dumps.Active, st.Dumps.Waiting)
	}
	// It is not lost, only late.
	if sum := sha256.Sum256(slurp(t, stuck)); sum != want {
		t.Error("the one that was stuck is not like the others")
	}
}
